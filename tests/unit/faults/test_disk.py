"""Only a small file system of its own is ever filled (F3)."""

import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.errors import FaultError
from holdfast.faults.postgres import _disk
from holdfast.faults.postgres.disk_full import DRIVER
from holdfast.model.fault import Fault
from support.disk import NAME, Disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path)
    disk.start()
    yield disk
    disk.stop()


def fault(home: Path, folder: str = NAME) -> Fault:
    return Fault("postgres.disk_full", "db", {"disk": folder}, str(home), timedelta(seconds=5))


@pytest.mark.parametrize(("folder", "says"), [
    pytest.param("plain", "is no file system of its own", id="the-hosts-own"),
    pytest.param("none", "there is no such folder", id="missing"),
    pytest.param("../home", "must lie below home", id="outside"),
    pytest.param("/tmp", "must lie below home", id="absolute"),
])
def test_other_folders_are_refused(folder: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(FaultError, match=says):
        DRIVER.targets(fault(tmp_path, folder))


def test_a_large_file_system_is_refused(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_disk, "LARGEST", 1 << 20)
    with pytest.raises(FaultError, match="has 24 MiB, more than the 1 allowed"):
        DRIVER.targets(fault(tmp_path))


def test_what_becomes_free_is_taken_until_the_revert(disk: Disk, tmp_path: Path) -> None:
    own = disk.view / "own"
    own.write_bytes(bytes(1 << 20))
    recipe = DRIVER.arm(fault(tmp_path), "L-1")
    DRIVER.inject(recipe)
    own.unlink()
    found = _disk.find(disk.folder, "disk")
    wait(lambda: found.free == 0)
    DRIVER.revert(recipe)
    assert list(DRIVER.residue(recipe)) == []
    assert found.free > 20 << 20


def test_a_removed_file_that_is_still_open_is_residue(disk: Disk, tmp_path: Path) -> None:
    recipe = DRIVER.arm(fault(tmp_path), "L-2")
    with (disk.view / "gone").open("wb") as open_file:
        (disk.view / "gone").unlink()
        _disk.fill(open_file.fileno())
        assert "bytes are free" in DRIVER.residue(recipe)[0]
    assert list(DRIVER.residue(recipe)) == []


def test_an_error_that_is_not_want_of_space_is_not_hidden(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(OSError) as failed:
        _disk.fill(handle)
    os.close(handle)
    assert failed.value.errno != errno.ENOSPC


def wait(condition: object) -> None:
    from support.waiting import wait_for

    wait_for(condition)  # type: ignore[arg-type]
