"""A command as an indicator: only what the deployment allows, bounded in time and output (S4)."""

import asyncio

import pytest

from holdfast.clients import command_probe as module
from holdfast.clients import processes
from holdfast.clients.command_probe import CommandTalker, program
from holdfast.clock import SystemClock
from holdfast.errors import SpecError
from holdfast.model.indicator import Indicator
from support.waiting import wait_for


@pytest.fixture
def script(tmp_path):
    def write(text, mode=0o755):
        file = tmp_path / "depth"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(mode)
        return str(file)
    return write


def ask(path, *arguments):
    async def go():
        talker = CommandTalker("depth", path, SystemClock())
        return await talker.ask(Indicator(command=("depth", *arguments)))
    return asyncio.run(go())


def test_the_number_it_prints_is_the_value(script):
    assert 7.5 == ask(script("echo ' 7.5 '")).value


def test_arguments_reach_it_as_they_are_and_no_shell_reads_them(script):
    assert 1.0 == ask(script('[ "$1" = "\\$(id); x" ] && echo 1'), "$(id); x").value


def test_it_sees_nothing_of_our_environment(script, monkeypatch):
    monkeypatch.setenv("HOLDFAST_SECRET", "1")
    assert 0.0 == ask(script('echo ${HOLDFAST_SECRET:-0}; read x; [ "$PWD" = / ]')).value


@pytest.mark.parametrize(("text", "why"), [
    ("exit 3", "depth: it ended with 3"), ("echo many", "depth: it printed 'many', not one number"),
    ("echo nan", "depth: it printed no number: nan"),
    ("echo 1; echo 2", "depth: it printed '1\n2', not one number"),
    ("yes", "depth: it printed more than 4096 bytes"),
])
def test_anything_else_is_no_data_and_says_why(script, text, why):
    found = ask(script(text))
    assert (None, why) == (found.value, found.why)


def test_one_that_does_not_end_is_ended_with_its_children(script, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.3)
    found = ask(script(f"sleep 60 & echo $! > {tmp_path}/child; wait"))
    assert "depth: it did not end within 0.3 s" == found.why
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: processes.look(child) is None)


def test_a_cancelled_question_leaves_no_process(script, tmp_path):
    async def go():
        path = script(f"echo $$ > {tmp_path}/own; sleep 60")
        talker = CommandTalker("depth", path, SystemClock())
        asked = asyncio.create_task(talker.ask(Indicator(command=("depth",))))
        while not (tmp_path / "own").exists() or not (tmp_path / "own").read_text():
            await asyncio.sleep(0.01)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return int((tmp_path / "own").read_text())

    pid = asyncio.run(go())
    wait_for(lambda: processes.look(pid) is None)


def test_a_program_that_is_gone_is_no_data(tmp_path):
    assert "depth: it ended with 127" == ask(str(tmp_path / "gone")).why


def test_without_the_program_that_bounds_it_nothing_is_run(script, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: "/nowhere/timeout")
    assert "depth: cannot be run: No such file or directory" == ask(script("echo 1")).why


def test_only_what_is_allowed_is_found(script):
    path = script("echo 1")
    assert path == program({"depth": path}, "depth")
    with pytest.raises(SpecError, match="'sh' is no command that this deployment allows"):
        program({"depth": path}, "sh")


@pytest.mark.parametrize(("mode", "why"), [
    (0o644, "is no program that can be run"), (0o757, "everybody may write"),
])
def test_a_program_that_anybody_could_replace_is_refused(script, mode, why):
    with pytest.raises(SpecError, match=why):
        program({"depth": script("echo 1", mode)}, "depth")


def test_a_program_that_is_not_there_is_said(tmp_path):
    with pytest.raises(SpecError, match="No such file"):
        program({"depth": str(tmp_path / "gone")}, "depth")
