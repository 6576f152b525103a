"""A keeper whose processes are stopped keeps its fault no longer than its lease (S4, N1)."""

import pytest

from holdfast.model.lease import LeaseState, Reason, Renewal, Revocation
from holdfast.steps.janitor import sweep
from holdfast.steps.stop import stop
from support.bench import ID, Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def frozen(bench):
    bench.activate()
    bench.keepers.kept[ID].frozen = True
    return bench


def took(bench, deed):
    began = bench.clock.boottime()
    deed(bench)
    return bench.clock.boottime() - began


def janitor(bench):
    assert [f"lease {ID}: clean"] == sweep(bench.ports)


def test_the_janitor_ends_a_fault_whose_keeper_gives_no_sign_of_life(frozen):
    assert took(frozen, janitor) < 5.0 + 3.0 + 3.0
    assert not frozen.driver.marks
    assert Reason.KEEPER_SILENT is frozen.row.revoked.reason


def test_the_janitor_ends_a_fault_that_was_revoked_and_goes_on(frozen):
    """The row still beats: what hangs is the loop that reverts."""
    frozen.ports.leases.revoke(ID, Revocation(Reason.BREACH, "p95", "guard", ""))
    go_on = frozen.clock.on_sleep

    def beats(passed):
        frozen.ports.leases.beat(ID)
        go_on(passed)

    frozen.clock.on_sleep = beats
    assert took(frozen, janitor) < 5.0 + 3.0 + 3.0
    assert Reason.BREACH is frozen.row.revoked.reason


def test_the_janitor_works_without_a_store_that_could_tell_of_beats(frozen):
    frozen.ports.leases.down = True
    assert [] == sweep(frozen.ports)
    frozen.clock.passed += 300.0
    assert [f"lease {ID}: clean"] == sweep(frozen.ports)


def test_a_keeper_that_beats_is_left_alone(bench):
    bench.activate()
    go_on = bench.clock.on_sleep

    def guarded(passed):
        bench.ports.leases.renew([Renewal(ID)])
        go_on(passed)

    bench.clock.on_sleep = guarded
    assert took(bench, lambda _: sweep(bench.ports)) < 1.0
    assert (bench.driver.marks, bench.row.revoked) == ({ID}, None)


def test_a_keeper_that_is_reverting_and_beats_is_left_alone(frozen):
    frozen.ports.leases.revoke(ID, Revocation(Reason.BREACH, "p95", "guard", ""))
    frozen.ports.journals.open(ID).write(LeaseState.REVERTING)
    frozen.clock.on_sleep = lambda _: frozen.ports.leases.beat(ID)
    assert [] == sweep(frozen.ports)


def test_the_dead_are_not_kept_waiting_for_the_silent(frozen):
    frozen.open(id="lease-2")
    frozen.ports.journals.open("lease-2").write(LeaseState.INJECTING)
    frozen.driver.marks.add("lease-2")
    began, reverted = frozen.clock.boottime(), {}
    really = frozen.driver.revert

    def revert(recipe):
        reverted.setdefault(recipe.lease_id, frozen.clock.boottime() - began)
        really(recipe)

    frozen.driver.revert = revert
    sweep(frozen.ports)
    assert reverted["lease-2"] < 0.5 < reverted[ID]


def test_a_stop_waits_for_a_frozen_keeper_no_longer_than_its_lease(frozen):
    def stopped(bench):
        assert {ID: LeaseState.CLEAN} == stop(bench.ports, "alice", "enough")

    assert took(frozen, stopped) < 5.0 + 3.0
