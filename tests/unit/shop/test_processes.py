"""A process is known by pid and start time, and a whole tree of them ends."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from shop import processes
from shop.processes import Identity

_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
_PARENT = """
import subprocess
subprocess.Popen(['sleep', '60'], start_new_session=True).wait()
"""
_STUBBORN = """
import signal, time
signal.signal(15, signal.SIG_IGN)
print(1, flush=True)
time.sleep(60)
"""


@pytest.fixture
def started():
    found = []

    def start(argv, **options):
        found.append(subprocess.Popen(argv, **options))
        return found[-1]

    yield start
    for process in found:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_pid_given_to_somebody_else_is_not_the_process():
    me = Identity.of(os.getpid())
    assert me.is_alive()
    assert not replace(me, started=me.started - 1).is_alive()
    assert not replace(me, boot="another").is_alive()


def test_a_zombie_is_dead(started):
    process = started(["true"])
    assert processes.wait_for(lambda: Identity.of(process.pid) is None, 5)


def test_what_is_recorded_is_found_and_forgotten(tmp_path):
    processes.record(tmp_path, "me", os.getpid())
    assert f"{os.getpid()}\n" == (tmp_path / "me.pid").read_text()
    assert Identity.of(os.getpid()) == processes.recorded(tmp_path, "me")
    assert ["me"] == processes.recorded_names(tmp_path)
    processes.forget(tmp_path, "me")
    assert [] == list(tmp_path.iterdir())


def test_a_tree_reaches_a_child_that_made_its_own_session(started):
    parent = started([sys.executable, "-c", _PARENT])
    assert processes.wait_for(lambda: len(processes.tree(parent.pid)) == 2, 5)
    members = processes.tree(parent.pid)
    assert [] == [m for m in processes.end(members) if m.pid != parent.pid]


def test_a_spared_word_keeps_a_tree_out(started):
    parent = started([sys.executable, "-c", _PARENT])
    assert processes.wait_for(lambda: len(processes.tree(parent.pid)) == 2, 5)
    left = processes.tree(parent.pid, spare=["sleep"])
    child = [m for m in processes.tree(parent.pid) if m not in left]
    assert [parent.pid] == [m.pid for m in left]
    processes.end(child)


def test_a_process_that_ignores_sigterm_is_killed(started):
    process = started([sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE)
    process.stdout.readline()
    assert [] == processes.end([Identity.of(process.pid)], patience=0.1)


def test_a_stopped_process_ends_too(started):
    process = started(_SLEEP)
    os.kill(process.pid, 19)
    assert [] == processes.end([Identity.of(process.pid)], patience=2)
    assert -15 == process.wait()


def test_processes_are_found_by_the_folder_they_work_in(started, tmp_path):
    process = started(_SLEEP, cwd=tmp_path)
    assert processes.wait_for(lambda: bool(processes.inside(tmp_path)), 5)
    assert [process.pid] == [p.pid for p in processes.inside(tmp_path)]


def test_a_tree_of_nobody_is_empty():
    assert [] == processes.tree(2**22 - 1)
