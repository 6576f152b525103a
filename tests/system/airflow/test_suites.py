"""The shipped suites through a real Airflow, and what keeps a run from starting."""

import re
from contextlib import contextmanager

import pytest

from holdfast.errors import SpecError
from holdfast.model.run import RunState
from shop.settled import Settled
from support.finished import artefact, finished
from support.orders import seen, stored
from support.secrets import files_with, processes_with, secrets_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _thawed(lab):
    yield
    lab.thaw()


def lost(lab):
    """Orders acknowledged to a customer that the primary does not have, by plain SQL."""
    shop = Settled.read(lab.settings.home)
    acknowledged = seen(shop).acknowledged
    return acknowledged - stored(shop)


def test_shop_core_holds(lab):
    """O1, R5: nine faults of five kinds, mechanisms seen working, and no order is lost."""
    before = lost(lab)
    code, said, run = finished(lab, "shop-core")
    assert (0, "success") == (code, run.state()), said
    assert "HELD" in said
    assert before == lost(lab)
    assert ["duration"] * 9 == [lease.ended for lease in run.leases]
    table = artefact(lab, run, "report.json")["mechanisms"]
    assert {"WORKING"} == {seen["state"] for seen in table}
    assert 7 == len({seen["name"] for seen in table})


def test_shop_lag_is_broken_and_names_the_orders_that_plain_sql_misses(lab):
    """R6: exit code 1, with the number and the keys."""
    before = lost(lab)
    code, said, run = finished(lab, "shop-lag")
    missing = lost(lab) - before
    assert (1, "failed") == (code, run.state()), said
    assert missing
    assert re.search(rf"\b{len(missing)} of \d+ acknowledged writes are lost", said), said
    assert missing == set(artefact(lab, run, "lost_writes-orders.json")["lost"])


def test_shop_abort_is_stopped_by_its_guard_and_says_how_fast(lab):
    """S4: exit code 4; the abort's latency, and the guard's and the keeper's own parts."""
    code, said, run = finished(lab, "shop-abort")
    assert (4, "failed") == (code, run.state()), said
    guarded = artefact(lab, run, "report.json")["guarded"][0]
    parts = guarded["guard_ms"], guarded["keeper_ms"]
    assert all(part is not None and 0 <= part < 1000 for part in parts), guarded
    assert max(parts) <= guarded["abort_ms"] <= sum(parts) + 5


def test_a_second_run_in_one_environment_is_postponed(lab):
    first = lab.trigger("held-0")
    first.until_active()
    code, said, second = finished(lab, "brief-0")
    assert (3, RunState.POSTPONED) == (code, second.book.state), said
    assert f"environment lane-0 is busy: run {first.id} has it" in second.book.reason
    assert [] == list(second.leases)
    lab.command("stop", first.id)
    assert "failed" == first.until_over()


def test_no_prometheus_no_run(lab):
    lab.freeze([lab.shop_pid("prometheus")])
    code, said, run = finished(lab, "brief-0")
    assert (3, RunState.POSTPONED) == (code, run.book.state), said
    assert "objective availability has no data" in run.book.reason
    assert [] == list(run.leases)


def test_a_key_that_others_may_read_signs_nothing(lab):
    """E1: without evidence there is no fault."""
    with mode(lab.settings.keys / "runner.pem", 0o644):
        code, said, run = finished(lab, "brief-0")
    assert 6 == code, said
    assert "runner.pem" in said
    assert [] == list(run.leases)


@contextmanager
def mode(file, bits):
    """Give the file these rights meanwhile."""
    before = file.stat().st_mode
    file.chmod(bits)
    try:
        yield
    finally:
        file.chmod(before)


def test_airflow_refuses_an_experiment_that_the_suite_has_not(lab):
    with pytest.raises(SpecError, match="Airflow answered 400"):
        lab.trigger("brief-0", experiments=["nope"])


def test_the_command_refuses_an_experiment_that_the_suite_has_not(lab):
    code, said, _ = finished(lab, "brief-0", "--only", "nope")
    assert 2 == code
    assert "unknown experiment 'nope' (known: watched)" in said


def test_no_secret_is_anywhere_but_in_files_of_its_owner(lab):
    """Passwords and key: in no log, XCom, book, evidence, report or process, whatever has run.

    Last of all: what is above has left its traces.
    """
    home = lab.settings.home
    secrets = secrets_of(home)
    assert {"connection shop_db", "connection airflow_default", "key"} <= secrets.keys()
    run = lab.trigger("held-1")
    run.until_active()
    shown = list(processes_with(secrets))
    lab.command("stop", run.id)
    run.until_over()
    assert [] == shown
    assert files_with(secrets, home) == dict.fromkeys((
        "connections.json", "airflow/passwords.json", "keys/runner.pem", "shop/data/pgpass",
    ), 0o600)
    assert any(home.glob("airflow/logs/**/*.log"))
