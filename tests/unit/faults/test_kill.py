"""process.kill and process.crash_loop on a supervised tree (F1 F2)."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults.process import _kill, _own
from holdfast.faults.process._trees import Trees
from holdfast.faults.process.crash_loop import CrashLoopDriver
from holdfast.faults.process.kill import KillDriver
from holdfast.model.fault import Recipe
from holdfast.ports.faults import FaultDriver
from support.waiting import wait_for
from unit.faults.conftest import Home

KILL, LOOP = KillDriver(), CrashLoopDriver()


def test_everybody_of_the_tree_is_killed_and_the_supervisor_brings_a_new_one(home: Home) -> None:
    before = set(home.tree.pids)
    recipe = KILL.arm(home.fault("process.kill", patience=10), "L-kill")
    home.kept.hold(signal.SIGSTOP)
    KILL.inject(recipe)
    assert not [pid for pid in before if processes.look(pid)]
    assert KILL.residue(recipe)
    home.kept.hold(signal.SIGCONT)
    KILL.revert(recipe)
    assert home.root not in before
    assert not KILL.residue(recipe)


def test_a_kill_that_was_cut_short_is_carried_through(home: Home) -> None:
    """The keeper died when it had stopped the tree and killed nobody yet."""
    recipe = KILL.arm(home.fault("process.kill", patience=10), "L-kill")
    members = processes.tree([home.root], processes.table())
    Trees.of(recipe.undo).note(*members)
    for member in members:
        processes.send(member, signal.SIGSTOP)
    assert KILL.residue(recipe)
    KILL.revert(recipe)
    assert not KILL.residue(recipe)
    wait_for(home.tree.is_beating, 10)


@pytest.mark.parametrize("driver", [KILL, LOOP])
def test_notes_of_others_do_not_make_a_tree_one_that_was_hit(
    driver: FaultDriver, home: Home
) -> None:
    """A revert that only saw that there are notes killed whoever it found."""
    recipe = driver.arm(home.fault("process.kill"), "L-kill")
    notes = Trees.of(recipe.undo).notes
    notes.parent.mkdir()
    notes.write_text("4194305 1\n")
    root = home.root
    driver.revert(recipe)
    assert root == home.root
    assert processes.look(root)


def test_a_second_injection_leaves_the_new_process_alone(home: Home) -> None:
    recipe = KILL.arm(home.fault("process.kill", patience=10), "L-kill")
    KILL.inject(recipe)
    KILL.revert(recipe)
    root = home.root
    KILL.inject(recipe)
    assert root == home.root
    assert processes.look(root)


def test_a_process_restarted_since_arm_is_no_target_any_more(home: Home) -> None:
    recipe = KILL.arm(home.fault("process.kill"), "L-kill")
    former = home.root
    home.tree.kill()
    wait_for(lambda: home.root != former, 10)
    with pytest.raises(FaultError, match="restarted since the fault was armed"):
        KILL.inject(recipe)


def test_a_process_that_nobody_restarts_is_told(home: Home) -> None:
    home.kept.stop()
    sleeper = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (home.folder / "run" / "app-1.pid").write_text(str(sleeper.pid))
    recipe = KILL.arm(home.fault("process.kill", patience=0.1), "L-kill")
    KILL.inject(recipe)
    sleeper.wait()
    with pytest.raises(TransientFaultError, match=r"app-1\.pid: is not running"):
        KILL.revert(recipe)
    assert "names no process that runs" in KILL.residue(recipe)[0]


def test_a_port_that_nobody_serves_again_is_residue(home: Home, tmp_path: Path) -> None:
    """The pid file names somebody who lives, but the service is not back."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
        assert processes.ports([os.getpid()]) == [port]
    recipe = KILL.arm(home.fault("process.kill", patience=10), "L-kill")
    recipe = Recipe("L-kill", "process.kill", {**recipe.undo, "ports": [port]})
    KILL.inject(recipe)
    KILL.revert(recipe)
    assert [f"nobody serves port {port}"] == KILL.residue(recipe)


def test_a_crash_loop_kills_whenever_somebody_is_there_again(home: Home) -> None:
    recipe = LOOP.arm(home.fault("process.crash_loop", steady=0.1), "L-loop")
    LOOP.inject(recipe)
    try:
        seen = {home.root}
        wait_for(lambda: (seen.add(home.root), len(seen) > 3)[1], 20)
        assert any("worker" in text for text in LOOP.residue(recipe))
    finally:
        LOOP.revert(recipe)
    root = home.root
    assert not LOOP.residue(recipe)
    assert processes.look(root)


def test_a_loop_beside_another_ends_without_waiting_for_the_other(home: Home) -> None:
    one, two = (LOOP.arm(home.fault("process.crash_loop", steady=0.1), f"L-{n}") for n in "ab")
    LOOP.inject(one)
    LOOP.inject(two)
    LOOP.revert(one)
    assert not LOOP.residue(one)
    assert LOOP.residue(two)
    LOOP.revert(two)
    assert not LOOP.residue(two)


def test_one_that_has_run_for_a_moment_only_is_not_back_yet(home: Home) -> None:
    root = _kill.Root(home.folder / "run" / "app-1.pid", 1, 1)
    assert "has not run for 3600 s" in _kill.not_back(root, 3600)
    with pytest.raises(TransientFaultError, match="s only; who restarts it"):
        _kill.wait_back([root], 0.0, steady=3600)


_STARTS = """
import sys, time
from holdfast.faults.process import _own
_own.start(sys.argv[1], int(sys.argv[2]), "cpu")
print("started", flush=True)
time.sleep(60)
"""


def test_a_worker_dies_with_the_process_that_started_it() -> None:
    """S4: SIGKILL of the keeper's child alone; nobody is there to end the worker."""
    command = [sys.executable, "-c", _STARTS, "L-dies", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == b"started\n"
        (worker,) = _own.running("L-dies")
        assert [worker.pid] == _own.marked("L-dies")
        starter.kill()
    wait_for(lambda: not _own.running("L-dies"))


def test_a_worker_ends_by_itself_when_its_time_is_over() -> None:
    command = [sys.executable, "-c", _STARTS, "L-limit", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        starter.stdout.readline()
        wait_for(lambda: not _own.running("L-limit"), 10)
        assert starter.poll() is None
        starter.send_signal(signal.SIGKILL)


def test_a_worker_whose_starter_is_gone_does_nothing() -> None:
    """It started too late to be bound to a process that had died meanwhile."""
    command = [sys.executable, "-m", "holdfast.faults.process._worker", "L-late", "1", "5", "cpu"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (1, "")
    assert "its parent is gone" in done.stderr


def test_what_keeps_a_worker_from_working_is_told() -> None:
    with pytest.raises(FaultError, match="/nowhere"):
        _own.start("L-bad", 5, "crash", "/nowhere/notes", "/nowhere/app.pid")
