"""A disk that is full or read-only does not keep a fault on (S4, S5, N1)."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.errors import ResidueError
from holdfast.model.lease import End, LeaseState
from holdfast.steps.revert import revert
from holdfast.steps.stop import stop

pytestmark = [pytest.mark.system, pytest.mark.kill]


@pytest.fixture
def full_log(lab):
    """The keeper's log is on a disk without space."""
    journals = lab.ports.settings.journals
    journals.mkdir(parents=True, exist_ok=True)
    (journals / "lease-1.log").symlink_to("/dev/full")
    return lab


def test_a_full_log_keeps_no_fault_on_when_its_time_is_over(full_log):
    full_log.activate(duration=1.0)
    full_log.until_clean()
    full_log.until(lambda: full_log.row.ended is not None)
    assert End.DURATION is full_log.row.ended


def test_a_full_log_keeps_no_fault_on_when_the_child_is_killed(full_log):
    full_log.activate()
    full_log.kill(full_log.pids[1])
    assert full_log.until_clean() < 2.0


def test_a_full_log_keeps_no_fault_on_when_the_parent_is_killed(full_log):
    full_log.activate()
    full_log.kill(full_log.pids[0])
    assert full_log.until_clean() < 3.0


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, mounted so that its first error makes it read-only."""
    image, there = tmp_path / "image", tmp_path / "disk"
    there.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    run("truncate", "-s", "32M", str(image))
    if run("mkfs.ext4", "-q", str(image)) is None:
        pytest.skip("mkfs.ext4 is not there")
    if run("mount", "-o", "loop,errors=remount-ro", str(image), str(there)) is None:
        pytest.skip("a loop device cannot be mounted here")
    yield there
    run("umount", "-l", str(there))


def fail(disk):
    """Let the kernel meet an error on it."""
    device = Path(run("findmnt", "-no", "SOURCE", str(disk))).name
    trigger = Path("/sys/fs/ext4") / device / "trigger_fs_error"
    try:
        trigger.write_text("test")
    except OSError:
        pytest.skip("the kernel does not let an error be made")
    with pytest.raises(OSError, match="Read-only"):
        (disk / "probe").touch()


@pytest.fixture
def on_disk(lab, disk, tmp_path):
    """A fault of 2 s whose home is on that disk."""
    made = type(lab)(disk)
    made.activate(duration=2.0, calls=str(tmp_path / "calls.jsonl"))
    yield made
    made.close()


def until_free(lab, seconds):
    began = time.monotonic()
    while lab.is_hit and time.monotonic() - began < seconds:
        time.sleep(0.02)
    assert not lab.is_hit


def test_a_read_only_disk_keeps_no_fault_on_when_its_time_is_over(on_disk, disk):
    fail(disk)
    until_free(on_disk, 5.0)


def test_a_read_only_disk_keeps_no_fault_on_without_a_guard(on_disk, disk):
    on_disk.guard.end()
    fail(disk)
    until_free(on_disk, 5.0)


def test_a_read_only_disk_keeps_no_fault_on_when_the_keeper_is_killed(on_disk, disk):
    on_disk.kill(*on_disk.pids)
    fail(disk)
    with suppress(ResidueError, OSError):  # the journal cannot say clean, nor the notice be written
        revert(on_disk.ports, "lease-1")
    assert not on_disk.is_hit


def test_a_stop_goes_on_when_it_cannot_be_written(on_disk, disk):
    on_disk.kill(*on_disk.pids)
    fail(disk)
    assert stop(on_disk.ports, "alice", "enough")["lease-1"] in (
        LeaseState.CLEAN, LeaseState.UNPROVEN, LeaseState.ACTIVE)
    assert not on_disk.is_hit
