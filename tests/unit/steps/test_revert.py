"""Revert, janitor and stop: whoever died, a fault is finished or a person is told (N1, N2, S5)."""

import json
from dataclasses import replace
from threading import Event

import pytest

from holdfast.errors import EvidenceError, FaultError, Postponed, ResidueError
from holdfast.model.lease import End, LeaseState, Reason, Renewal, Revocation
from holdfast.registry import Registry
from holdfast.steps.janitor import sweep
from holdfast.steps.mend import Limits, mend
from holdfast.steps.mirror import mirror, path
from holdfast.steps.revert import revert
from holdfast.steps.stop import release, stop
from holdfast.steps.stops import stopped, write_stop
from support.bench import ID, Bench
from support.keeping import FakeClock, TrickyDriver
from support.leases import a_fault, a_lease
from support.ports import START


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def test_revert_ends_a_fault_that_is_still_on(bench):
    bench.activate()
    revert(bench.ports, ID)
    assert not bench.driver.marks
    row = bench.row
    expected = (LeaseState.CLEAN, End.REVOKED, Reason.CLOSED)
    assert expected == (row.state, row.ended, row.revoked.reason)


def test_revert_leaves_a_fault_that_ended_by_itself_its_reason(bench):
    bench.activate()
    for _ in range(90):
        bench.ports.leases.renew([Renewal(ID)])
        bench.clock.sleep(0.1)
    revert(bench.ports, ID)
    assert (End.DURATION, None) == (bench.row.ended, bench.row.revoked)


def test_revert_finishes_for_a_keeper_that_is_gone(bench):
    bench.orphan()
    revert(bench.ports, ID)
    assert not bench.driver.marks
    assert (LeaseState.CLEAN, End.ADOPTED) == (bench.row.state, bench.row.ended)
    states = [line.state.value for line in bench.ports.journals.open(ID).lines()]
    assert ["reverting", "clean"] == states[-2:]


def test_the_reason_a_keeper_gave_before_it_died_stays(bench):
    bench.orphan()
    bench.ports.journals.open(ID).write(LeaseState.REVERTING, ended=End.DURATION)
    revert(bench.ports, ID)
    assert End.DURATION is bench.row.ended


def test_revert_kills_a_keeper_that_hangs(bench):
    bench.activate()
    bench.keepers.kept[ID].frozen = True
    began = bench.clock.boottime()
    revert(bench.ports, ID)
    assert not bench.driver.marks
    assert not bench.keepers.is_alive(ID)
    assert bench.clock.boottime() - began < bench.row.lease_seconds + 3.0


def test_a_keeper_that_is_reverting_gets_the_time_it_needs(bench):
    bench.activate()
    bench.ports.journals.open(ID).write(LeaseState.REVERTING, ended=End.DURATION)
    bench.keepers.kept[ID].frozen = True
    began = bench.clock.boottime()
    revert(bench.ports, ID)
    assert bench.clock.boottime() - began > 40.0


def test_revert_again_changes_nothing(bench):
    bench.orphan()
    revert(bench.ports, ID)
    before = bench.ports.journals.open(ID).lines()
    revert(bench.ports, ID)
    assert before == bench.ports.journals.open(ID).lines()


def test_a_lease_that_no_keeper_claimed_is_clean_untouched(bench):
    bench.open()
    revert(bench.ports, ID)
    assert LeaseState.CLEAN is bench.row.state


def test_a_lease_without_a_journal_is_closed_if_it_was_only_opened(bench):
    bench.open(journal=False)
    revert(bench.ports, ID)
    assert LeaseState.CLEAN is bench.row.state
    revert(bench.ports, ID)


def test_a_lease_whose_journal_is_lost_is_unproven(bench):
    bench.open(journal=False)
    for state in (LeaseState.ARMED, LeaseState.INJECTING):
        bench.ports.leases.move(ID, state)
    with pytest.raises(ResidueError, match="journal is not on"):
        revert(bench.ports, ID)
    assert LeaseState.UNPROVEN is bench.row.state


def test_nothing_is_to_be_done_for_a_lease_nobody_knows(bench):
    revert(bench.ports, "nobody")


@pytest.mark.parametrize(("trouble", "state"), [
    ("stuck", LeaseState.UNCLEAN), ("blind", LeaseState.UNPROVEN),
])
def test_a_fault_that_stays_is_told_to_a_person(bench, trouble, state):
    bench.orphan()
    setattr(bench.driver, trouble, True)
    with pytest.raises(ResidueError, match=f"experiment is {state}"):
        revert(bench.ports, ID)
    assert state is bench.row.state
    [notice] = bench.ports.notifier.told
    assert ("residue", "suite", ID) == (notice.kind, notice.suite, notice.data["lease_id"])


def test_revert_needs_no_store(bench):
    bench.orphan()
    bench.ports.leases.down = True
    revert(bench.ports, ID)
    assert (LeaseState.CLEAN, set()) == (bench.state, bench.driver.marks)


def test_a_live_keeper_is_told_when_the_store_is_down(bench):
    bench.activate()
    bench.ports.leases.down = True
    revert(bench.ports, ID)
    assert (LeaseState.CLEAN, set()) == (bench.state, bench.driver.marks)


def test_a_damaged_journal_delays_no_revert(bench):
    bench.orphan()
    file = bench.ports.settings.journals / f"{ID}.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"armed"', b'"clean"'))
    revert(bench.ports, ID)
    assert not bench.driver.marks
    with pytest.raises(EvidenceError):
        bench.ports.journals.open(ID).lines()


def test_a_recipe_that_is_lost_is_unproven(bench):
    bench.orphan()
    (bench.ports.settings.journals / f"{ID}.jsonl").write_bytes(b"rubbish\n")
    with pytest.raises(ResidueError, match="first line is damaged"):
        revert(bench.ports, ID)


def test_a_driver_that_is_not_installed_here_is_unproven(bench):
    ports = replace(bench.ports, drivers=Registry("faults", "DRIVER"))
    lease, fault = a_lease(id="other", fault_type="gone"), a_fault(ports.settings.home)
    ports.leases.open(lease)
    recipe = replace(bench.driver.arm(fault, "other"), fault_type="gone")
    ports.journals.create(lease, fault, recipe).write(LeaseState.INJECTING)
    with pytest.raises(ResidueError, match="unknown driver 'gone'"):
        revert(ports, "other")


def test_somebody_else_at_work_is_waited_for_only_so_long(bench):
    bench.orphan()
    began = bench.clock.boottime()
    with bench.ports.journals.claim(ID), pytest.raises(ResidueError, match="claim too long"):
        revert(bench.ports, ID)
    assert bench.clock.boottime() - began > 40.0  # whatever the journal says: its disk may hang


def test_from_another_host_only_absence_for_a_while_proves_the_end(bench):
    bench.open(host="elsewhere", boot_id="another boot")
    bench.ports.journals.open(ID).write(LeaseState.INJECTING)
    bench.driver.marks.add(ID)
    began = bench.clock.passed
    revert(bench.ports, ID)
    assert bench.clock.passed - began >= 15
    assert (LeaseState.CLEAN, set()) == (bench.row.state, bench.driver.marks)


def test_from_another_host_marks_that_come_back_are_unproven(bench):
    """Its keeper cannot be killed from here."""
    bench.open(host="elsewhere", boot_id="another boot")
    bench.clock.on_sleep = lambda _: bench.driver.marks.add(ID)
    with pytest.raises(ResidueError, match="came back"):
        revert(bench.ports, ID)
    assert LeaseState.UNPROVEN is bench.row.state


@pytest.mark.parametrize("trouble", ["stuck", "blind"])
def test_from_another_host_residue_is_told_too(bench, trouble):
    bench.open(host="elsewhere", boot_id="another boot")
    bench.driver.marks.add(ID)
    setattr(bench.driver, trouble, True)
    with pytest.raises(ResidueError):
        revert(bench.ports, ID)


def test_a_keeper_that_does_not_go_is_residue(bench, monkeypatch):
    def does_not_go(lease_id):
        raise FaultError("keeper process 1 does not go")

    bench.activate()
    bench.keepers.kept[ID].frozen = True
    monkeypatch.setattr(bench.keepers, "kill", does_not_go)
    with pytest.raises(ResidueError, match="does not go"):
        revert(bench.ports, ID)
    monkeypatch.undo()


# the janitor


def test_the_janitor_finishes_what_nobody_holds(bench):
    bench.orphan()
    assert [f"lease {ID}: clean"] == sweep(bench.ports)
    assert not bench.driver.marks


def test_the_janitor_leaves_a_keeper_at_work_alone(bench):
    bench.activate()
    assert [] == sweep(bench.ports)
    assert bench.driver.marks


def test_the_janitor_ends_a_keeper_that_is_overdue(bench):
    bench.activate()
    bench.keepers.kept[ID].frozen = True
    bench.clock.passed += 1000
    assert [f"lease {ID}: clean"] == sweep(bench.ports)


def test_the_janitor_gives_an_arm_that_has_begun_its_time(bench):
    bench.open()
    assert [] == sweep(bench.ports)
    bench.clock.passed += 91
    assert [f"lease {ID}: clean"] == sweep(bench.ports)


def test_the_janitor_gives_a_row_without_journal_its_time(bench):
    bench.open(journal=False)
    assert [] == sweep(bench.ports)
    bench.clock.passed += 91
    assert [f"lease {ID}: clean"] == sweep(bench.ports)


def test_the_janitor_works_without_the_store_and_shows_it_later(bench):
    bench.orphan()
    bench.ports.leases.down = True
    assert [f"lease {ID}: clean"] == sweep(bench.ports)
    assert not bench.driver.marks
    bench.ports.leases.down = False
    assert [f"lease {ID}: clean"] == sweep(bench.ports)
    assert LeaseState.CLEAN is bench.row.state
    assert [] == sweep(bench.ports)


def test_the_janitor_finishes_what_was_there_before_the_host_restarted(bench):
    bench.open(boot_id="an-older-boot")
    bench.ports.journals.open(ID).write(LeaseState.INJECTING)
    bench.driver.marks.add(ID)
    assert [f"lease {ID}: clean"] == sweep(bench.ports)
    assert not bench.driver.marks


def test_the_janitor_keeps_trying_and_says_what_is_left(bench):
    bench.orphan()
    bench.driver.stuck = True
    assert f"lease {ID}: experiment is unclean: left: {ID}" in sweep(bench.ports)[0]
    bench.driver.stuck = False
    assert [f"lease {ID}: clean"] == sweep(bench.ports)


def test_a_damaged_journal_of_a_finished_lease_is_left_alone(bench):
    bench.orphan()
    file = bench.ports.settings.journals / f"{ID}.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"armed"', b'"clean"'))
    assert [f"lease {ID}: clean"] == sweep(bench.ports)
    assert [] == sweep(bench.ports)


# stop


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


# mending and mirroring


def test_a_revert_that_fails_at_first_is_tried_again():
    driver, clock = TrickyDriver(marks={ID}), FakeClock()
    driver.blind = True
    clock.on_sleep = lambda passed: setattr(driver, "blind", passed < 5)
    assert LeaseState.CLEAN is mend(driver, driver.arm(a_fault("/"), ID), clock).state


def test_residue_that_fades_is_waited_for():
    """The other path may see the revert a moment later."""
    driver, clock = TrickyDriver(marks={ID}), FakeClock()
    driver.stuck = True
    clock.on_sleep = lambda passed: setattr(driver, "marks", set() if passed > 1 else {ID})
    assert LeaseState.CLEAN is mend(driver, driver.arm(a_fault("/"), ID), clock).state


def test_a_target_that_looks_clean_while_the_revert_fails_is_unproven():
    class Refusing(TrickyDriver):
        def revert(self, recipe):
            raise ValueError("a bug")

    driver, clock = Refusing(), FakeClock()
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock)
    expected = "not proven clean: revert failed: ValueError: a bug"
    assert (LeaseState.UNPROVEN, expected) == (mended.state, mended.detail)


def test_a_revert_that_hangs_is_bounded():
    class Hanging(TrickyDriver):
        def revert(self, recipe):
            Event().wait(5)

    driver, clock = Hanging(), FakeClock()
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(0.02, 0.02, 0, 0))
    assert "not proven clean: revert did not return within 0.02 s" == mended.detail


class Slow(TrickyDriver):
    """A revert takes `takes` seconds and then fails, or leaves what fades at `fades_at`."""

    def __init__(self, clock, takes, fades_at=None):
        super().__init__(marks={ID})
        self.clock, self.takes, self.fades_at, self.begun = clock, takes, fades_at, []

    def revert(self, recipe):
        self.begun.append(self.clock.passed)
        self.clock.passed += self.takes
        if self.fades_at is None:
            raise FaultError("unreachable")

    def residue(self, recipe):
        return [ID] if self.clock.passed < self.fades_at else []


def test_no_revert_begins_that_might_not_end_in_time():
    clock = FakeClock()
    driver = Slow(clock, takes=8.0)
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(10.0, 10.0, 3.0, 30.0))
    assert LeaseState.UNPROVEN is mended.state
    assert max(driver.begun) <= 20.0
    assert len(driver.begun) > 1


def test_after_a_revert_that_returned_residue_is_looked_at_to_the_end():
    """A one-shot fault: its revert has used up the time that another would need."""
    clock = FakeClock()
    driver = Slow(clock, takes=60.0, fades_at=80.0)
    mended = mend(driver, driver.arm(a_fault("/"), ID), clock, Limits(75.0, 10.0, 5.0, 90.0))
    assert (LeaseState.CLEAN, [0.0]) == (mended.state, driver.begun)


def test_the_row_follows_the_journal_however_far_behind(bench):
    bench.open()
    assert mirror(bench.ports.leases, ID, LeaseState.UNCLEAN, {"ended": End.SILENCE, "x": 1})
    assert (LeaseState.UNCLEAN, End.SILENCE) == (bench.row.state, bench.row.ended)
    assert mirror(bench.ports.leases, ID, LeaseState.UNCLEAN, {})


def test_a_clean_row_follows_nobody(bench):
    bench.open()
    bench.ports.leases.move(ID, LeaseState.CLEAN)
    assert not mirror(bench.ports.leases, ID, LeaseState.ACTIVE, {})
    assert () == path(LeaseState.CLEAN, LeaseState.ACTIVE)


def test_a_revoked_round_mate_is_finished_too(bench):
    bench.activate()
    bench.ports.leases.revoke(ID, Revocation(Reason.BREACH, "p95", "guard", ""))
    revert(bench.ports, ID)
    assert Reason.BREACH is bench.row.revoked.reason
