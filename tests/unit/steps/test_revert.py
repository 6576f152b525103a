"""Revert, janitor and stop: whoever died, a fault is finished or a person is told (N1, N2, S5)."""

from dataclasses import replace

import pytest

from holdfast.errors import EvidenceError, FaultError, ResidueError
from holdfast.model.lease import End, LeaseState, Reason, Renewal
from holdfast.registry import Registry
from holdfast.steps.revert import revert
from support.bench import ID, Bench
from support.leases import a_fault, a_lease


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


def test_the_end_of_another_hosts_fault_is_waited_for(bench):
    """N1: with a store that machines share, its journal is on its own host's disk."""
    bench.open(journal=False, host="elsewhere", boot_id="another boot")
    bench.ports.leases.move(ID, LeaseState.ARMED)

    def its_keeper(_: float) -> None:
        if bench.clock.passed > 5:
            bench.ports.leases.move(ID, LeaseState.CLEAN)

    bench.clock.on_sleep = its_keeper
    revert(bench.ports, ID)
    assert LeaseState.CLEAN is bench.row.state


def test_a_store_that_is_away_meanwhile_does_not_end_the_wait(bench):
    bench.open(journal=False, host="elsewhere", boot_id="another boot")
    bench.ports.leases.move(ID, LeaseState.ARMED)

    def away_then_clean(_: float) -> None:
        bench.ports.leases.down = 2 < bench.clock.passed < 4
        if bench.clock.passed > 5:
            bench.ports.leases.move(ID, LeaseState.CLEAN)

    bench.clock.on_sleep = away_then_clean
    revert(bench.ports, ID)
    assert LeaseState.CLEAN is bench.row.state


def test_another_hosts_fault_is_waited_for_once(bench):
    """A machine that is gone may not slow every sweep of the others."""
    bench.open(journal=False, host="elsewhere", boot_id="another boot")
    for state in (LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE):
        bench.ports.leases.move(ID, state)
    for waits in (True, False):
        began = bench.clock.passed
        with pytest.raises(ResidueError, match="look on elsewhere"):
            revert(bench.ports, ID)
        assert waits == (bench.clock.passed - began > 10)


def test_another_hosts_fault_that_does_not_end_is_unproven(bench):
    bench.open(journal=False, host="elsewhere", boot_id="another boot")
    bench.ports.leases.move(ID, LeaseState.ARMED)
    with pytest.raises(ResidueError, match="look on elsewhere"):
        revert(bench.ports, ID)


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
