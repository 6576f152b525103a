"""One lease that cannot be read keeps neither janitor nor stop from the others (N2, S5)."""

import json
from dataclasses import replace

import pytest

from holdfast.errors import EvidenceError
from holdfast.model.lease import LeaseState
from holdfast.steps.janitor import sweep
from holdfast.steps.revert import revert
from holdfast.steps.stop import stop
from holdfast.stores import _journal_lines
from support.keeping import FakeClock, TrickyDriver
from support.leases import a_fault, a_lease, file_ports
from support.ports import START


def without_keeper(ports, lease_id):
    """A fault that is on, from before the host was restarted."""
    lease = ports.leases.open(a_lease(id=lease_id, opened_at=START.isoformat()))
    driver, fault = ports.drivers["noop"], a_fault(ports.settings.home)
    recipe = driver.arm(fault, lease_id)
    journal = ports.journals.create(replace(lease, boot_id="an older boot"), fault, recipe)
    for state in (LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE):
        journal.write(state)
        ports.leases.move(lease_id, state)
    driver.inject(recipe)


@pytest.fixture
def ports(tmp_path):
    made = file_ports(tmp_path, drivers={"noop": TrickyDriver()}, clock=FakeClock())
    for lease_id in ("a-bad", "b-good"):
        without_keeper(made, lease_id)
    yield made
    made.leases.close()


def append_whole(path, **changes):
    body = {"seq": 4, "state": "active", "boottime": 1.0, "at": "", "facts": {}} | changes
    line = json.dumps(body | {"crc": _journal_lines._checksum(body)}) + "\n"
    path.write_bytes(path.read_bytes().rstrip(b"\0") + line.encode())


def lost_page(folder):
    (folder / "a-bad.pid").write_bytes(b"\0" * 60)


def foreign_pid(folder):
    (folder / "a-bad.pid").write_bytes(b"\xb2 1 boot\n12 x y\n12\n\xff\n")


def unreadable_pid(folder):
    (folder / "a-bad.pid").mkdir()


def unreadable_journal(folder):
    (folder / "a-bad.jsonl").unlink()
    (folder / "a-bad.jsonl").mkdir()


def unreadable_lock(folder):
    (folder / "a-bad.lock").symlink_to(folder / "nowhere" / "a-bad.lock")


def unknown_state(folder):
    append_whole(folder / "a-bad.jsonl", state="paused")


def unknown_field(folder):
    path = folder / "a-bad.jsonl"
    first = json.loads(path.read_bytes().partition(b"\n")[0])
    first["facts"]["lease"]["colour"] = "red"
    path.write_bytes(b"")
    append_whole(path, **{name: first[name] for name in ("seq", "state", "boottime", "facts")})


TROUBLES = [lost_page, foreign_pid, unreadable_pid, unreadable_journal, unreadable_lock,
            unknown_state, unknown_field]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_the_janitor_finishes_the_others(ports, trouble):
    trouble(ports.settings.journals)
    assert "lease b-good: clean" in sweep(ports)
    assert "b-good" not in ports.drivers["noop"].marks


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_stop_is_written_and_ends_the_others(ports, trouble):
    trouble(ports.settings.journals)
    assert LeaseState.CLEAN is stop(ports, "alice", "enough")["b-good"]
    assert "b-good" not in ports.drivers["noop"].marks
    assert "alice" in ports.settings.stops.read_text()


@pytest.mark.parametrize("trouble", [lost_page, foreign_pid, unreadable_pid, unknown_state])
def test_the_bad_one_is_finished_too_if_its_recipe_can_be_read(ports, trouble):
    trouble(ports.settings.journals)
    revert(ports, "a-bad")
    assert "a-bad" not in ports.drivers["noop"].marks


def test_a_bug_met_at_one_lease_spoils_only_its_own_lease(ports, monkeypatch):
    """Whatever is thrown: the border is between two leases."""
    claiming = ports.journals.claim

    def claim(lease_id):
        return {}[lease_id] if lease_id == "a-bad" else claiming(lease_id)

    monkeypatch.setattr(ports.journals, "claim", claim)
    swept = sweep(ports)
    assert ["lease a-bad: KeyError: 'a-bad'", "lease b-good: clean"] == swept


def test_a_stop_is_on_disk_before_any_journal_is_read(ports, monkeypatch):
    def unreadable():
        raise OSError("the disk hangs")

    monkeypatch.setattr(ports.journals, "ids", unreadable)
    with pytest.raises(OSError, match="the disk hangs"):
        stop(ports, "alice", "enough")
    assert "enough" in ports.settings.stops.read_text()


def test_a_store_with_a_row_of_another_version_leaves_the_journals(ports, monkeypatch):
    def leases(**_):
        raise ValueError("'paused' is not a valid LeaseState")

    monkeypatch.setattr(ports.leases, "leases", leases)
    sweep(ports)
    assert set() == ports.drivers["noop"].marks


@pytest.mark.parametrize(("changes", "said"), [
    pytest.param({"state": "paused"}, "line 5 has an unknown state 'paused'", id="state"),
    pytest.param({"facts": []}, "line 5", id="facts"),
])
def test_a_line_of_another_version_is_damage_with_its_place(ports, changes, said):
    append_whole(ports.settings.journals / "a-bad.jsonl", **changes)
    with pytest.raises(EvidenceError, match=said):
        ports.journals.open("a-bad").lines()
