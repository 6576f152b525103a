"""The stops file: a stop is on disk whole, and a torn line stops nothing for ever (S5)."""

import fcntl
import os
import threading

import pytest

from holdfast.steps import stops
from holdfast.steps.stop import release
from holdfast.steps.stops import stopped, write_stop
from support.leases import a_lease, file_ports

EARLIER, AT = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
TORN = '{"at": "2020-01-01T00:00:00+00:00", "by": "al'
OLD = 1_577_836_800  # 2020
SAID = "stopped by bob: enough"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "stops.jsonl"


def write(file, by="bob", run_id=None):
    write_stop(file, by, "enough", AT, run_id)


def opened(at):
    return a_lease(opened_at=at)


def test_a_stop_after_a_torn_line_is_a_line_of_its_own(file):
    file.write_text(TORN)
    write(file)
    assert SAID == stopped(file, opened(EARLIER))


def test_a_torn_line_with_a_stop_behind_it_stops_nobody(file):
    file.write_text(TORN + "\n")
    write(file, run_id="other--run")
    assert "" == stopped(file, opened(EARLIER))


def test_a_torn_line_that_was_just_written_stops(file):
    file.write_text(TORN)
    assert "cannot be read" in stopped(file, opened(EARLIER))


def test_a_torn_line_from_before_the_lease_was_opened_stops_nobody(file):
    file.write_text(TORN)
    os.utime(file, (OLD, OLD))
    assert "" == stopped(file, opened(EARLIER))


def test_a_torn_line_hides_no_stop_that_came_before_it(file):
    write(file)
    with file.open("a") as end:
        end.write(TORN)
    assert SAID == stopped(file, opened(EARLIER))


def test_a_disk_that_takes_a_part_of_a_stop_is_given_the_rest(file, monkeypatch):
    really = os.write
    monkeypatch.setattr(stops.os, "write", lambda handle, left: really(handle, left[:7]))
    write(file)
    assert SAID == stopped(file, opened(EARLIER))


def test_a_disk_that_is_full_is_said(file, monkeypatch):
    def full(_handle, _left):
        raise OSError("no space left on device")

    monkeypatch.setattr(stops.os, "write", full)
    with pytest.raises(OSError, match="no space left"):
        write(file)


def test_a_release_drops_what_cannot_be_read_and_keeps_every_stop(tmp_path, file):
    ports = file_ports(tmp_path)
    file.write_text(TORN + "\n[]\n")
    write(file, run_id="suite--run")
    write(file, by="alice")
    stop_lines = file.read_text().splitlines()[2:]
    release(ports, "lab")
    assert stop_lines == file.read_text().splitlines()
    assert 0o600 == file.stat().st_mode & 0o777
    ports.leases.close()


def test_a_release_without_a_stops_file_makes_none(tmp_path, file):
    ports = file_ports(tmp_path)
    release(ports, "lab")
    assert not file.exists()
    ports.leases.close()


def test_a_file_that_somebody_writes_is_not_trimmed(file):
    file.write_text(TORN)
    with file.open("a") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        stops.trim(file)
    assert TORN == file.read_text()


def test_a_stop_waits_for_nobody_who_has_the_file(file):
    """Whoever trims it may be frozen."""
    with file.open("a") as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        write(file)
    assert SAID == stopped(file, opened(EARLIER))


def test_no_stop_is_lost_while_others_trim(file):
    done = threading.Event()

    def trims():
        while not done.is_set():
            stops.trim(file)

    thread = threading.Thread(target=trims)
    thread.start()
    for number in range(30):
        write(file, by=f"p{number}")
        with file.open("a") as end:
            end.write("{torn\n")
    done.set()
    thread.join()
    stops.trim(file)
    assert 30 == len(file.read_text().splitlines())
