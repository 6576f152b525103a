"""The janitor finishes what nobody else looks after (S10)."""


import pytest

from holdfast.model.lease import LeaseState
from holdfast.steps.janitor import sweep
from support.bench import ID, Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()




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


def test_the_janitor_leaves_another_hosts_fault_to_that_host(bench):
    """N1: its journal, keeper and janitor are there; overdue, it is told here too."""
    bench.open(journal=False, host="elsewhere", boot_id="another boot")
    for state in (LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE):
        bench.ports.leases.move(ID, state)
    bench.clock.passed += 91
    assert [] == sweep(bench.ports)
    assert (LeaseState.ACTIVE, None) == (bench.row.state, bench.row.revoked)
    bench.clock.passed += 1000
    (line,) = sweep(bench.ports)
    assert "look on elsewhere" in line


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
