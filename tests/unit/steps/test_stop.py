"""A stop ends faults by whichever way is left (S5)."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from holdfast.errors import HoldfastError, Postponed, ResidueError
from holdfast.model.lease import LeaseState, Reason
from holdfast.steps.stop import release, stop, stop_here
from holdfast.steps.stops import stopped, write_stop
from support.bench import ID, Bench
from support.leases import a_lease
from support.ports import START


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def _refuse():
    raise HoldfastError("the server is gone")


def test_stop_ends_a_fault_and_says_how(bench):
    bench.activate()
    assert {ID: LeaseState.CLEAN} == stop(bench.ports, "alice", "enough")
    assert not bench.driver.marks
    assert (Reason.STOPPED, "alice") == (bench.row.revoked.reason, bench.row.revoked.by)


def test_stop_needs_no_store(bench):
    bench.activate()
    bench.ports.leases.down = True
    assert {ID: LeaseState.CLEAN} == stop(bench.ports, "alice", "enough", hold="until Monday")
    assert not bench.driver.marks
    bench.ports.leases.down = False
    assert "until Monday" == bench.ports.leases.environment("lab").hold
    with pytest.raises(Postponed, match="release --all"):
        release(bench.ports, "lab")
    release(bench.ports)
    assert "" == bench.ports.leases.environment("lab").hold


def test_a_shared_store_that_did_not_take_the_stop_is_told(bench):
    """N1: what is on elsewhere goes on; `all clean` would be a lie. Here it ends all the same."""
    bench.activate()
    shared = replace(bench.ports, settings=replace(bench.ports.settings, store="store_db"))
    bench.ports.leases.down = True
    with pytest.raises(ResidueError, match=f"other machines may be on.*lease {ID} clean"):
        stop(shared, "alice", "enough")
    assert not bench.driver.marks


def test_runs_that_could_not_be_told_are_told_apart_from_faults_that_may_be_on(bench, monkeypatch):
    bench.activate()
    shared = replace(bench.ports, settings=replace(bench.ports.settings, store="store_db"))
    monkeypatch.setattr(bench.ports.books, "going", _refuse)
    with pytest.raises(ResidueError, match=f"faults end everywhere.*stop again.*lease {ID} clean"):
        stop(shared, "alice", "enough")
    assert not bench.driver.marks


@pytest.mark.parametrize(("store", "down", "file"), [
    ("", False, True), ("store_db", False, False), ("store_db", True, True),
])
def test_a_hold_is_kept_where_its_release_finds_it(bench, store, down, file):
    """N1: a file on the machine where the stop was typed is not ended by a release elsewhere."""
    shared = replace(bench.ports, settings=replace(bench.ports.settings, store=store))
    bench.ports.leases.down = down
    with suppress(ResidueError):
        stop(shared, "alice", "enough", hold="until Monday")
    assert file is shared.settings.hold.exists()


def test_a_machine_that_goes_down_ends_its_own_faults_only(bench):
    """N1: `holdfast down` with a store that others use."""
    bench.activate()
    far = bench.ports.leases.open(a_lease(id="far", environment="far", run_id="other--run",
                                          host="elsewhere", boot_id="another boot"))
    assert {ID: LeaseState.CLEAN} == stop_here(bench.ports, "alice", "going down")
    assert (Reason.STOPPED, "alice") == (bench.row.revoked.reason, bench.row.revoked.by)
    assert far == bench.ports.leases.read("far")
    assert [0, 0] == [e.epoch for e in bench.ports.leases.environments()]


def test_stop_of_another_run_ends_nothing(bench):
    bench.activate()
    assert {} == stop(bench.ports, "alice", "enough", run_id="other--run")
    assert bench.driver.marks


def test_stop_says_what_is_not_clean(bench):
    bench.orphan()
    bench.driver.stuck = True
    assert {ID: LeaseState.UNCLEAN} == stop(bench.ports, "alice", "enough")


def test_stop_with_nothing_on(bench):
    assert {} == stop(bench.ports, "alice", "enough")


def test_an_armed_keeper_that_could_not_be_told_sees_the_stop(bench, monkeypatch):
    """The store is down and the signal is lost: the stops file is enough."""
    bench.arm()
    bench.ports.leases.down = True
    monkeypatch.setattr(bench.keepers, "end", lambda lease_id: None)
    assert {ID: LeaseState.CLEAN} == stop(bench.ports, "alice", "enough")


@pytest.mark.parametrize(("run_id", "at", "stops"), [
    pytest.param(None, START.isoformat(), True, id="of-everything"),
    pytest.param("suite--run", START.isoformat(), True, id="of-this-run"),
    pytest.param("other--run", START.isoformat(), False, id="of-another-run"),
    pytest.param(None, "2025-12-31T00:00:00+00:00", False, id="before-the-lease-was-opened"),
])
def test_which_leases_a_stop_concerns(tmp_path, run_id, at, stops):
    write_stop(tmp_path / "stops.jsonl", "alice", "enough", at, run_id)
    lease = a_lease(opened_at=START.isoformat())
    said = stopped(tmp_path / "stops.jsonl", lease)
    assert ("stopped by alice: enough" if stops else "") == said


@pytest.mark.parametrize("line", ["rubbish", "[]", json.dumps({"at": 1, "run_id": None})])
def test_a_stop_that_cannot_be_read_stops(tmp_path, line):
    (tmp_path / "stops.jsonl").write_text(line + "\n")
    assert "cannot be read" in stopped(tmp_path / "stops.jsonl", a_lease())
