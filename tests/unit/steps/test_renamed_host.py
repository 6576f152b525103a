"""A host that got another name knows its own leases, and reverts by an old recipe once (N2)."""

import pytest

from holdfast.clients.host import boot_id, host_name, is_here, keeper_host
from holdfast.errors import ResidueError
from holdfast.model.lease import LeaseState, Renewal
from holdfast.steps.janitor import sweep
from holdfast.steps.revert import revert
from support.bench import ID, Bench

OLD_NAME = {"host": "the-old-name"}
RESTARTED = {"host": "the-old-name", "boot_id": "an older boot"}


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    made.reverts = []
    really = made.driver.revert

    def counted(recipe):
        made.reverts.append(recipe.lease_id)
        really(recipe)

    made.driver.revert = counted
    yield made
    made.close()


def active(bench, **where):
    bench.arm(**where)
    for _ in range(5):
        bench.ports.leases.renew([Renewal(ID)])
        bench.clock.sleep(0.1)
    assert bench.driver.marks


@pytest.mark.parametrize(("host", "boot", "here"), [
    pytest.param(host_name(), boot_id(), True, id="nothing-changed"),
    pytest.param("the-old-name", boot_id(), True, id="renamed-while-it-ran"),
    pytest.param(host_name(), "an older boot", True, id="restarted"),
    pytest.param("elsewhere", "another boot", False, id="another-host"),
])
def test_which_leases_are_of_this_host(host, boot, here, tmp_path):
    assert here is is_here(tmp_path, host, boot)


def test_two_homes_on_one_kernel_under_one_name_are_two(tmp_path):
    """As containers and clones that share a store are."""
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir()
    hosts = [keeper_host(home) for home in homes]
    seen = [[is_here(home, host, boot_id()) for host in hosts] for home in homes]
    assert [[True, False], [False, True]] == seen
    assert hosts == [keeper_host(home) for home in homes]


def test_a_home_that_was_copied_to_another_host_is_another(tmp_path):
    elsewhere = keeper_host(tmp_path).replace(host_name(), "elsewhere")
    assert not is_here(tmp_path, elsewhere, "another boot")


def test_a_living_keeper_is_left_alone_though_its_host_was_renamed(bench):
    active(bench, **OLD_NAME)
    assert [] == sweep(bench.ports)
    assert bench.driver.marks


def test_a_dead_keeper_is_followed_at_once_though_its_host_was_renamed(bench):
    active(bench, **OLD_NAME)
    bench.keepers.kill(ID)
    began = bench.clock.boottime()
    revert(bench.ports, ID)
    assert bench.clock.boottime() - began < 1.0


@pytest.mark.parametrize("where", [OLD_NAME, RESTARTED], ids=["renamed", "restarted-renamed"])
def test_an_old_recipe_is_reverted_once(bench, where):
    bench.open(**where)
    bench.ports.journals.open(ID).write(LeaseState.INJECTING)
    bench.driver.marks.add(ID)
    swept = [sweep(bench.ports) for _ in range(4)]
    assert [[f"lease {ID}: clean"], [], [], []] == swept
    assert [ID] == bench.reverts
    assert LeaseState.CLEAN is bench.state


def test_a_copy_of_another_hosts_journal_is_left_alone_once_its_row_is_clean(bench):
    bench.open(host="elsewhere", boot_id="another boot")
    bench.ports.journals.open(ID).write(LeaseState.INJECTING)
    bench.ports.leases.move(ID, LeaseState.CLEAN)
    assert [] == sweep(bench.ports)
    assert [] == bench.reverts


def test_a_journal_that_says_clean_is_shown_from_afar_and_reverted_no_more(bench):
    bench.open(**RESTARTED)
    journal = bench.ports.journals.open(ID)
    for state in (LeaseState.INJECTING, LeaseState.REVERTING, LeaseState.CLEAN):
        journal.write(state)
    revert(bench.ports, ID)
    assert (LeaseState.CLEAN, []) == (bench.row.state, bench.reverts)


def test_from_afar_too_only_one_reverts(bench):
    bench.open(**RESTARTED)
    bench.ports.journals.open(ID).write(LeaseState.INJECTING)
    with bench.ports.journals.claim(ID), pytest.raises(ResidueError, match="has its claim"):
        revert(bench.ports, ID)
    assert [] == bench.reverts
