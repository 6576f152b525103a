"""process.hang on small real processes: whom it stops, whom it never touches (F2)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.errors import FaultError
from holdfast.faults.process._trees import is_own
from holdfast.faults.process.hang import HangDriver
from holdfast.model.fault import Fault, Recipe
from support.trees import Kept, Tree
from support.waiting import wait_for

DRIVER = HangDriver()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "run").mkdir()
    children = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2)]
    for number, child in enumerate(children, 1):
        (tmp_path / "run" / f"api-{number}.pid").write_text(f"{child.pid}\n")
    yield tmp_path
    for child in children:
        child.kill()
        child.wait()


def fault(home: Path, pattern: str = "run/api-1.pid") -> Fault:
    return Fault("process.hang", "api", {"process": pattern}, str(home), timedelta(seconds=5))


def is_stopped(home: Path, name: str) -> bool:
    seen = processes.look(int((home / "run" / f"{name}.pid").read_text()))
    return seen is not None and seen.is_stopped


@pytest.mark.parametrize(("pattern", "shares"), [
    pytest.param("run/api-1.pid", [0.5], id="one-of-two"),
    pytest.param("run/api-*.pid", [0.5, 0.5], id="both"),
])
def test_a_share_counts_the_files_that_differ_only_in_number(
    pattern: str, shares: list[float], home: Path
) -> None:
    (home / "run" / "haproxy.pid").write_text("1")
    assert [t.share for t in DRIVER.targets(fault(home, pattern))] == shares


def test_only_the_selected_tree_is_stopped(home: Path) -> None:
    recipe = DRIVER.arm(fault(home), "L1")
    DRIVER.inject(recipe)
    assert (is_stopped(home, "api-1"), is_stopped(home, "api-2")) == (True, False)
    assert len(DRIVER.residue(recipe)) == 1
    DRIVER.revert(recipe)
    assert not is_stopped(home, "api-1")


def test_what_another_boot_had_is_gone(home: Path) -> None:
    recipe = DRIVER.arm(fault(home), "L1")
    DRIVER.inject(recipe)
    older = replace(recipe, undo={**recipe.undo, "boot": "another"})
    DRIVER.revert(older)
    assert is_stopped(home, "api-1")
    assert list(DRIVER.residue(older)) == []
    DRIVER.revert(recipe)


def test_a_process_that_has_the_pid_of_a_former_one_is_left_alone(home: Path) -> None:
    recipe = DRIVER.arm(fault(home), "L1")
    former = [{**m, "start": m["start"] - 500} for m in recipe.undo["members"]]  # type: ignore[attr-defined]
    with pytest.raises(FaultError, match="gone since the fault was armed"):
        DRIVER.inject(Recipe("L1", "process.hang", {**recipe.undo, "members": former}))
    assert not is_stopped(home, "api-1")


def test_everybody_of_a_tree_is_stopped_and_goes_on(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "app-1")
    kept = Kept(tmp_path, [tree])
    kept.start()
    try:
        recipe = DRIVER.arm(fault(tmp_path, "run/app-1.pid"), "L1")
        DRIVER.inject(recipe)
        states = [seen.is_stopped for pid in tree.pids if (seen := processes.look(pid))]
        assert states == [True] * 4
        assert len(DRIVER.residue(recipe)) == 4
        DRIVER.revert(recipe)
        assert tree.is_beating()
    finally:
        kept.stop()


def test_an_orphan_forked_after_arm_goes_on_too(home: Path) -> None:
    forks = "while read line; do sleep 60 & echo $!; done"
    with subprocess.Popen(["bash", "-c", forks], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          start_new_session=True, bufsize=0) as shell:
        (home / "run" / "forks.pid").write_text(str(shell.pid))
        recipe = DRIVER.arm(fault(home, "run/forks.pid"), "L1")
        os.write(shell.stdin.fileno(), b"fork\n")  # type: ignore[union-attr]
        orphan = int(shell.stdout.readline())  # type: ignore[union-attr]
        DRIVER.inject(recipe)
        shell.kill()
        shell.wait()
        seen = processes.look(orphan)
        try:
            assert seen is not None
            assert seen.is_stopped
            assert DRIVER.residue(recipe) == [f"process {orphan} is stopped"]
            DRIVER.revert(recipe)
            assert DRIVER.residue(recipe) == []
        finally:
            os.kill(orphan, signal.SIGKILL)


def test_a_session_shared_with_others_is_no_part_of_the_tree(home: Path) -> None:
    children = {name: subprocess.Popen(["sleep", "60"]) for name in ("one", "two")}
    try:
        for name, child in children.items():
            (home / "run" / f"{name}.pid").write_text(str(child.pid))
        recipes = [DRIVER.arm(fault(home, f"run/{name}.pid"), name) for name in children]
        for recipe in recipes:
            DRIVER.inject(recipe)
        DRIVER.revert(recipes[0])
        assert (is_stopped(home, "one"), is_stopped(home, "two")) == (False, True)
    finally:
        for child in children.values():
            child.kill()
            child.wait()


@pytest.mark.parametrize(("content", "problem"), [
    pytest.param("x", "holds no pid", id="no-number"),
    pytest.param("4194305", "its process 4194305 is not running", id="no-such-process"),
])
def test_a_pid_file_that_leads_nowhere_is_refused(content: str, problem: str, home: Path) -> None:
    (home / "run" / "api-1.pid").write_text(content)
    with pytest.raises(FaultError, match=rf"api-1\.pid: {problem}"):
        DRIVER.targets(fault(home))


def test_a_pid_that_somebody_else_got_after_the_file_was_written_is_refused(home: Path) -> None:
    os.utime(home / "run" / "api-1.pid", (1_000_000_000, 1_000_000_000))
    with pytest.raises(FaultError, match="is not running"):
        DRIVER.targets(fault(home))


@pytest.mark.parametrize("pattern", ["../run/api-1.pid", "/run/api-1.pid"])
def test_pid_files_outside_home_are_refused(pattern: str, home: Path) -> None:
    with pytest.raises(FaultError, match="below home"):
        DRIVER.targets(fault(home, pattern))


def test_a_tree_that_holds_holdfast_is_refused(home: Path) -> None:
    (home / "run" / "own-1.pid").write_text(str(os.getppid()))
    with pytest.raises(FaultError, match=rf"process {os.getppid()} belongs to Holdfast itself"):
        DRIVER.arm(fault(home, "run/own-1.pid"), "L1")


@pytest.mark.parametrize(("arguments", "own"), [
    (["python", "-m", "holdfast.keeper", "L1"], True),
    ([sys.executable, "/venv/bin/airflow", "scheduler"], True),
    (["airflow worker -- idle"], True),
    (["/venv/bin/holdfast", "status"], True),
    (["python", "-m", "shop.api", "/srv/holdfast"], False),
    (["postgres", "-D", "/srv/airflow"], False),
    ([], False),
])
def test_holdfast_knows_its_own_command_lines(arguments: list[str], own: bool) -> None:
    assert is_own(arguments) is own


_FORKS = """
import os, signal, sys
from pathlib import Path
def fork(*_):
    if not os.fork():
        os.setsid()
        Path(sys.argv[1], "backend").write_text(str(os.getpid()))
        while True: signal.pause()
signal.signal(signal.SIGUSR1, fork)
Path(sys.argv[1], "ready").touch()
while True: signal.pause()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Forks a process with a session of its own at SIGUSR1, as a database does for a client."""
    (tmp_path / "run").mkdir()
    command = [sys.executable, "-c", _FORKS, str(tmp_path)]
    process = subprocess.Popen(command, start_new_session=True)
    (tmp_path / "run" / "db.pid").write_text(str(process.pid))
    wait_for((tmp_path / "ready").exists)
    yield process
    process.kill()
    process.wait()


def test_a_process_whose_stopped_parent_died_goes_on(
    server: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """It was forked after arm, has its own session, and belongs to nobody of the recipe now."""
    recipe = DRIVER.arm(fault(tmp_path, "run/db.pid"), "L1")
    server.send_signal(signal.SIGUSR1)
    backend = tmp_path / "backend"
    wait_for(lambda: backend.exists() and backend.read_text() != "")
    pid = int(backend.read_text())
    try:
        DRIVER.inject(recipe)
        server.kill()
        server.wait()
        assert [f"process {pid} is stopped"] == list(DRIVER.residue(recipe))
        DRIVER.revert(recipe)
        wait_for(lambda: not processes.look(pid).is_stopped)  # type: ignore[union-attr]
        assert [] == list(DRIVER.residue(recipe))
    finally:
        os.kill(pid, signal.SIGKILL)
