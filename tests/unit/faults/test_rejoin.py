"""Rejoining a dead node: its own settings survive, and one party does it at a time (F3, S5)."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from holdfast.clients.postgres import Node
from holdfast.errors import TransientFaultError
from holdfast.faults.postgres import _own_files, _rejoin

DEAD, PRIMARY = Node("b", "h", 1), Node("a", "h", 2)
OWN = "port = 5433  # node b's own\n"


class FakeNodes:
    """Node b is dead, node a has taken over."""

    password = ""

    def in_recovery(self) -> dict[str, bool | None]:
        return {"a": False, "b": None}

    def writable(self) -> list[Node]:
        return [PRIMARY]

    @contextmanager
    def session(self, _node: Node) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(execute=lambda *_: None)

    def address(self, _node: Node, secret: bool = True) -> str:
        return "host=h"

    def named(self, node: Node) -> str:
        return node.name


@pytest.fixture
def place(tmp_path: Path) -> _rejoin.Place:
    """A data directory, and programs that write down what they do."""
    folder, programs = tmp_path / "data", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (folder / "postgresql.conf").write_text(OWN)
    (folder / "postgresql.auto.conf").write_text("")
    (folder / "postmaster.opts").write_text("x")
    script(programs / "pg_rewind", (
        f"echo start >> {tmp_path}/rewinds\n"
        f"echo 'port = 5432  # the new primary' > {folder}/postgresql.conf\n"
        f"sleep $(cat {tmp_path}/takes)\necho end >> {tmp_path}/rewinds\n"
    ))
    script(programs / "pg_ctl", f"cat {folder}/postgresql.conf > {tmp_path}/started\n")
    (tmp_path / "takes").write_text("0")
    return _rejoin.Place(folder, programs, tmp_path / "rejoin" / "lease-1")


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def rejoin(place: _rejoin.Place) -> None:
    _rejoin.rejoin(FakeNodes(), DEAD, place)  # type: ignore[arg-type]


def killed_while_it_rewinds(place: _rejoin.Place, home: Path, takes: str) -> None:
    (home / "takes").write_text(takes)
    pid = os.fork()
    if not pid:
        rejoin(place)
        os._exit(0)
    while not (home / "rewinds").exists() or "5432" not in conf(place):
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    (home / "takes").write_text("0")


def conf(place: _rejoin.Place) -> str:
    return (place.folder / "postgresql.conf").read_text()


def test_a_node_is_started_with_its_own_settings(place: _rejoin.Place, tmp_path: Path) -> None:
    rejoin(place)
    assert OWN == (tmp_path / "started").read_text()
    assert "primary_conninfo = 'host=h" in (place.folder / "postgresql.auto.conf").read_text()
    assert not place.kept.exists()


def test_the_password_is_in_no_environment_and_in_no_file_that_stays(
    place: _rejoin.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeNodes, "password", "p:a\\ss'w")
    script(place.programs / "pg_rewind", (
        f"env > {tmp_path}/env\ncat $PGPASSFILE > {tmp_path}/told\n"
        f"stat -L -c %a $PGPASSFILE > {tmp_path}/mode\necho $PGPASSFILE >> {tmp_path}/told\n"
    ))
    rejoin(place)
    told = (tmp_path / "told").read_text().splitlines()
    assert "*:*:*:*:p\\:a\\\\ss'w" == told[0]
    assert told[1].startswith("/dev/fd/")
    assert "600" == (tmp_path / "mode").read_text().strip()
    assert "ss'w" not in (tmp_path / "env").read_text()


def test_whoever_takes_over_from_a_killed_one_has_the_nodes_own_settings(
    place: _rejoin.Place, tmp_path: Path
) -> None:
    """They were in the memory of the killed one, and pg_rewind had written over the files."""
    killed_while_it_rewinds(place, tmp_path, "0.5")
    rejoin(place)
    assert (OWN, OWN) == ((tmp_path / "started").read_text(), conf(place))


def test_a_rewind_that_outlives_its_keeper_is_waited_for(
    place: _rejoin.Place, tmp_path: Path
) -> None:
    killed_while_it_rewinds(place, tmp_path, "1")
    rejoin(place)
    assert ["start", "end", "start", "end"] == (tmp_path / "rewinds").read_text().split()


def test_somebody_else_at_work_is_waited_for_only_so_long(
    place: _rejoin.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rejoin, "_OTHERS", 0.2)
    handle = os.open(place.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(TransientFaultError, match="rejoined by somebody else"):
        rejoin(place)
    os.close(handle)


def test_a_started_server_does_not_inherit_the_lock(place: _rejoin.Place, tmp_path: Path) -> None:
    script(place.programs / "pg_ctl", "(sleep 3 > /dev/null 2>&1) &\n")
    rejoin(place)
    began = time.monotonic()
    rejoin(place)
    assert time.monotonic() - began < 2
    assert 4 == len((tmp_path / "rewinds").read_text().split())


def test_a_full_disk_keeps_no_copy_and_hinders_nothing(
    place: _rejoin.Place, tmp_path: Path
) -> None:
    (tmp_path / "rejoin").write_text("not a folder")
    rejoin(place)
    assert OWN == (tmp_path / "started").read_text()


def test_a_copy_is_there_whole_or_not_at_all(
    place: _rejoin.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(_own_files, "_sync", full)
    assert OWN.encode() == _own_files.keep(place.folder, place.kept)["postgresql.conf"]
    assert [] == list(place.kept.parent.iterdir())


def test_a_rewind_that_fails_leaves_the_nodes_own_settings(place: _rejoin.Place) -> None:
    script(place.programs / "pg_rewind", f"echo theirs > {place.folder}/postgresql.conf\nexit 1\n")
    with pytest.raises(TransientFaultError, match="pg_rewind failed"):
        rejoin(place)
    assert OWN == conf(place)
    assert place.kept.is_dir()


@pytest.mark.parametrize(("patience", "seconds"), [(0.0, 30.0), (60.0, 60.0)])
def test_a_rewind_has_the_time_of_the_drivers_patience(
    place: _rejoin.Place, monkeypatch: pytest.MonkeyPatch, patience: float, seconds: float
) -> None:
    seen: list[float] = []
    really = subprocess.run

    def run(command: list[str], **how: object) -> object:
        if "pg_rewind" in " ".join(command):
            seen.append(how["timeout"])  # type: ignore[arg-type]
        return really(command, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", run)
    rejoin(_rejoin.Place(place.folder, place.programs, place.kept, patience))
    assert [seconds] == seen
