import os
import signal
import socket
import subprocess

import pytest

from holdfast.clients import processes
from holdfast.clients.processes import Process
from holdfast.errors import FaultError


def process(pid: int, parent: int, state: str = "S") -> Process:
    return Process(pid, parent, session=1, state=state, start=pid)


FAMILY = ((2, 1), (3, 2), (5, 3), (4, 2), (9, 1))
TABLE = {pid: process(pid, parent) for pid, parent in FAMILY}


def test_a_tree_lists_parents_before_their_children() -> None:
    assert [p.pid for p in processes.tree([2], TABLE)] == [2, 3, 4, 5]


def test_a_tree_of_nobody_is_empty_and_nobody_is_listed_twice() -> None:
    assert processes.tree([77], TABLE) == []
    assert [p.pid for p in processes.tree([3, 2], TABLE)] == [3, 2, 5, 4]


def test_a_lineage_ends_where_the_table_does() -> None:
    assert processes.lineage(5, TABLE) == [5, 3, 2]


def test_a_lineage_with_a_loop_ends() -> None:
    loop = {2: process(2, 3), 3: process(3, 2)}
    assert processes.lineage(2, loop) == [2, 3]


def test_a_process_is_itself_only_with_its_start_time() -> None:
    own = processes.look(os.getpid())
    assert own is not None
    assert processes.same(own.pid, own.start) is not None
    assert processes.same(own.pid, own.start + 1) is None


def test_a_name_with_brackets_and_spaces_does_not_confuse(tmp_path: object) -> None:
    with subprocess.Popen(["bash", "-c", "echo -n 'a) S (b' > /proc/self/comm; read"],
                          stdin=subprocess.PIPE) as child:
        seen = processes.look(child.pid)
        assert seen is not None
        assert seen.parent == os.getpid()
        child.communicate()


def test_who_only_waits_to_be_reaped_is_gone() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.look(child.pid) is None


def test_a_signal_reaches_only_the_process_it_was_meant_for() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        seen = processes.look(child.pid)
        assert seen is not None
        stranger = Process(seen.pid, seen.parent, seen.session, seen.state, seen.start + 1)
        assert not processes.send(stranger, signal.SIGKILL)
        assert child.poll() is None
        assert processes.send(seen, signal.SIGKILL)
        child.wait()
        assert not processes.send(seen, signal.SIGKILL)


def test_a_signal_that_is_not_allowed_names_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    own = processes.look(os.getpid())
    assert own is not None
    with pytest.raises(FaultError, match=f"process {os.getpid()}: not allowed to send SIGCONT"):
        processes.send(own, signal.SIGCONT)


def test_what_a_gone_process_said_and_pointed_at_is_empty() -> None:
    assert processes.arguments(2**22 + 1) == []
    assert processes.link(2**22 + 1, "exe") == ""


def test_now_is_after_every_start() -> None:
    own = processes.look(os.getpid())
    assert own is not None
    assert own.start <= processes.ticks()
    assert own.started <= processes.ticks() / os.sysconf("SC_CLK_TCK")


def test_who_works_in_a_folder_is_found(tmp_path: object) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=str(tmp_path)) as child:
        assert [p.pid for p in processes.working_in(str(tmp_path))] == [child.pid]
        child.kill()


@pytest.mark.parametrize(("family", "host"), [
    (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"),
])
def test_who_listens_on_a_port_is_found(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as server, \
            subprocess.Popen(["sleep", "60"]) as child:
        port = server.getsockname()[1]
        assert processes.listeners([child.pid, os.getpid(), 2**22 + 1], port) == [os.getpid()]
        assert processes.listeners([child.pid, os.getpid()], port + 1) == []
        child.kill()
