"""Setting money aside, telling the guard, settling (B1, B2)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from holdfast.clients.host import boot_id
from holdfast.errors import CheckError, EvidenceError, Postponed
from holdfast.model.lease import LeaseState
from holdfast.model.ledger import Claim
from holdfast.model.run import EntryKind, RunState
from holdfast.model.verdict import Verdict
from holdfast.safety.ledger import balance, by_experiment
from holdfast.steps.janitor import sweep
from holdfast.steps.postpone import postpone
from holdfast.steps.reserve import reserve
from holdfast.steps.settle import settle
from holdfast.steps.spend import task_of_guard
from holdfast.steps.verdict import close
from support.after import ended, found, put_lease, set_state
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL, planned

DAY = "2026-01-01"
LAST = "blast_radius: {instances: 100%}"
TRAFFIC = "traffic: {requests: r, hit: h}"
PRICED = (LAST, f"{LAST}\n{TRAFFIC}\nbudget: {{most_requests_per_second: 100, "
          "per_fault_minute: 6}")
HERE = {"boot_id": boot_id()}


class Counters(FakeMetrics):
    """100 requests a second, 4 of them hit, from the run's start until `until` seconds."""

    until = 1000.0
    silent = False

    def each_between(self, query, start, end, step):
        if self.silent:
            raise CheckError("Prometheus could not be asked")
        begun = START.timestamp()
        each = {"r": 100.0, "h": 4.0}.get(query, 0.0)
        seconds = [s for s in range(200) if start <= begun + s <= min(end, begun + self.until)]
        return [[(begun + s, each * s) for s in seconds]]


def counters(**changes):
    made = Counters(WELL | {"r": 5000.0, "h": 200.0})
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def begun(tmp_path, *changes, **parts):
    ports = planned(tmp_path, PRICED, *changes, **({"metrics": counters()} | parts))
    reserve(ports, RUN)
    return ports


def over(tmp_path, *changes, metrics=None, **lease):
    """Every fault was on from second 10 to 18.5 of the run."""
    ports = ended(tmp_path, PRICED, *changes, metrics=metrics or counters())
    reserve(ports, RUN)
    for experiment, number in (("first", 0), ("beside", 0), ("second", 1)):
        put_lease(ports, experiment, number, **(HERE | lease))
    return ports


def spend(ports, name="run"):
    return next(e.data for e in ports.books.read(RUN, EntryKind.SPEND) if e.name == name)


def test_the_plans_worst_case_is_set_aside_on_the_date_in_utc(tmp_path):
    """B1: 42, 43 and 103 s at 100 requests a second, and 6 a minute."""
    ports = begun(tmp_path)
    there = ports.ledger.postings(run_id=RUN, day=DAY)
    assert {"first": Decimal("8.4"), "beside": Decimal("8.6"), "second": Decimal("20.6")} == {
        name: own.open for name, own in by_experiment(there).items()}
    assert ("37.6", "0", "0", "EUR") == tuple(
        spend(ports)[key] for key in ("reserved", "spent", "released", "currency"))


@pytest.mark.parametrize(("zone", "day"), [
    ("Pacific/Auckland", "2026-01-01"), ("America/New_York", "2025-12-31"),
])
def test_a_day_begins_in_the_budgets_time_zone(tmp_path, zone, day):
    """B2: at 02:00 UTC it is still yesterday in New York."""
    priced = (LAST, PRICED[1].removesuffix("}") + f", time_zone: {zone}}}")
    ports = planned(tmp_path, priced, metrics=counters())
    ports.ledger.reserve(Claim("other", day, "EUR", Decimal(500), {"x": Decimal("480.5")}))
    with pytest.raises(Postponed, match=rf"{day} \({zone}\) has 19.5 of 500 EUR left"):
        reserve(ports, RUN)


def test_reserving_again_takes_nothing_more(tmp_path):
    ports = begun(tmp_path)
    reserve(ports, RUN)
    assert 3 == len(ports.ledger.posted)


def test_too_little_left_postpones_and_gives_the_environment_back(tmp_path):
    ports = planned(tmp_path, PRICED)
    other = {"x": Decimal("480.5")}
    ports.ledger.reserve(Claim("other", DAY, "EUR", Decimal(500), other))
    with pytest.raises(Postponed, match=r"2026-01-01 \(UTC\) has 19.5 of 500 EUR left, and this "
                                        r"run may cost 37.6"):
        reserve(ports, RUN)
    assert "" == ports.leases.environment("staging").locked_by
    assert 1 == len(ports.ledger.posted)
    assert [] == [s for s in ports.notary.statements if "run-start" in s.predicate_type]


def test_a_start_that_cannot_be_put_on_record_gives_the_money_back(tmp_path):
    ports = planned(tmp_path, PRICED)
    ports.notary.broken = "disk full"
    with pytest.raises(EvidenceError):
        reserve(ports, RUN)
    assert Decimal("37.6") == balance(ports.ledger.posted).released
    assert [] == ports.ledger.unsettled()


def test_without_a_budget_nothing_is_set_aside(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    assert ([], []) == (ports.ledger.posted, ports.books.read(RUN, EntryKind.SPEND))


def test_the_guard_is_told_the_counters_of_now_and_what_was_set_aside(tmp_path):
    ports = begun(tmp_path)
    ports.clock.passed = 20.0
    allowed = task_of_guard(ports, RUN, "first", "lease").allowed
    assert ("r", "h", {"": 5000.0}, {"": 200.0}, 2100.0, 0.05, Decimal("8.4")) == (
        allowed.requests, allowed.hit, allowed.requests_then, allowed.hit_then, allowed.before,
        allowed.traffic, allowed.purse.reserved)


def test_an_experiment_may_hit_more_of_the_traffic(tmp_path):
    more = ("        hypothesis: It also",
            "        blast_radius: {traffic: 9%}\n        hypothesis: It also")
    ports = begun(tmp_path, more)
    assert 0.09 == task_of_guard(ports, RUN, "second", "lease").allowed.traffic


def test_a_guard_of_a_suite_without_budget_and_traffic_has_no_limits(tmp_path):
    assert None is task_of_guard(planned(tmp_path), RUN, "first", "lease").allowed


def test_a_budget_without_traffic_counts_the_time(tmp_path):
    timed = (LAST, f"{LAST}\nbudget: {{most_requests_per_second: 1, per_request: 0}}")
    allowed = task_of_guard(planned(tmp_path, timed), RUN, "first", "lease").allowed
    assert ([], Decimal(0)) == (allowed.queries(), allowed.purse.reserved)


def test_what_was_used_is_spent_and_the_rest_given_back(tmp_path):
    """8.5 s were on: 900 requests from scrape to scrape at 0.001, and 0.85 for the time."""
    ports = over(tmp_path)
    settle(ports, RUN)
    own = spend(ports, "first")
    assert (900, 8.5, "1.75") == (own["requests"], own["fault_seconds"], own["spent"])
    whole = spend(ports)
    assert ("2700", 25.5) == (str(whole["requests"]), whole["fault_seconds"])
    assert Decimal(whole["reserved"]) == Decimal(whole["spent"]) + Decimal(whole["released"])
    assert [] == ports.ledger.unsettled()


def test_settling_again_changes_nothing(tmp_path):
    ports = over(tmp_path)
    settle(ports, RUN)
    before = list(ports.ledger.posted), spend(ports)
    settle(ports, RUN)
    assert before == (ports.ledger.posted, spend(ports))


def test_a_fault_that_was_never_on_costs_nothing(tmp_path):
    ports = over(tmp_path, injected_at=None, reverted_at=None)
    settle(ports, RUN)
    assert ("0", "37.6") == (spend(ports)["spent"], spend(ports)["released"])


@pytest.mark.parametrize("lease", [
    pytest.param({"state": LeaseState.UNCLEAN, "clean_at": None}, id="still-on"),
    pytest.param({"boot_id": "another"}, id="on-another-machine-or-before-a-restart"),
    pytest.param({"injected_at": None}, id="its-keeper-died-while-it-injected"),
])
def test_a_fault_whose_end_is_not_known_costs_all_that_was_set_aside(tmp_path, lease):
    ports = over(tmp_path, **lease)
    settle(ports, RUN)
    assert ("37.6", "0") == (spend(ports)["spent"], spend(ports)["released"])


def test_requests_that_nobody_counted_cost_as_the_most_there_may_be(tmp_path):
    ports = over(tmp_path, metrics=counters(silent=True))
    settle(ports, RUN)
    assert 850 == spend(ports, "first")["requests"]


def test_a_counter_that_fell_silent_midway_is_no_discount(tmp_path):
    ports = over(tmp_path, metrics=counters(until=14.0))
    settle(ports, RUN)
    assert 850 == spend(ports, "first")["requests"]


def test_the_verdict_leaves_no_reservation_open(tmp_path):
    """A run that a person marked failed skips the task `settle`."""
    ports = over(tmp_path)
    ports.leases.unlock("staging", RUN)
    close(ports, RUN, lambda *_: None)
    assert [] == ports.ledger.unsettled()
    assert "0" != spend(ports)["spent"]


def test_a_postponed_run_gets_its_money_back_from_the_verdict(tmp_path):
    ports = begun(tmp_path)
    postpone(ports, RUN, "the baseline does not hold")
    close(ports, RUN, lambda *_: None)
    assert ("0", "37.6") == (spend(ports)["spent"], spend(ports)["released"])


@pytest.mark.parametrize("state", [RunState.ENDED, RunState.POSTPONED])
def test_the_janitor_settles_runs_that_have_ended(tmp_path, state):
    ports = begun(tmp_path)
    set_state(ports, state)
    assert [] == sweep(ports)
    assert [] == ports.ledger.unsettled()


def test_the_janitor_leaves_a_run_that_goes_on(tmp_path):
    ports = begun(tmp_path)
    sweep(ports)
    assert [RUN] == ports.ledger.unsettled()


def test_the_janitor_settles_a_run_that_died_long_ago(tmp_path):
    ports = begun(tmp_path)
    ports.clock.passed = 3600.0 * 2
    sweep(ports)
    assert [] == ports.ledger.unsettled()


def test_a_run_with_a_fault_that_is_not_gone_has_not_died(tmp_path):
    ports = begun(tmp_path)
    put_lease(ports, "first", state=LeaseState.CLEAN)
    row = ports.leases.rows["lease-first"]
    ports.leases.rows["lease-first"] = replace(row, state=LeaseState.UNPROVEN)
    del ports.journals.written["lease-first"]  # it is on another host
    ports.clock.passed = 3600.0 * 2
    sweep(ports)
    assert [RUN] == ports.ledger.unsettled()


def test_how_much_of_the_traffic_each_fault_hit_is_a_finding(tmp_path):
    """S2: those between the scrapes around it, of all until a moment ago."""
    ports = over(tmp_path)
    settle(ports, RUN)
    told = found(ports, "blast_radius", "first")
    assert Verdict.HELD is told.verdict
    assert {"hit": 36, "requests": 4100, "share": 0.00878, "limit": 0.05} == told.measured


def test_a_fault_that_hit_more_than_it_may_is_broken(tmp_path):
    ports = over(tmp_path, (LAST, "blast_radius: {instances: 100%, traffic: 0.1%}"))
    settle(ports, RUN)
    assert Verdict.BROKEN is found(ports, "blast_radius", "first").verdict


@pytest.mark.parametrize(("metrics", "lease", "told"), [
    ({"silent": True}, {}, "nobody counted them"),
    ({}, {"boot_id": "another"}, "when the fault was on is not known"),
])
def test_what_nobody_counted_is_not_known(tmp_path, metrics, lease, told):
    ports = over(tmp_path, metrics=counters(**metrics), **lease)
    settle(ports, RUN)
    finding = found(ports, "blast_radius", "first")
    assert Verdict.UNKNOWN is finding.verdict
    assert told in finding.text


def test_without_traffic_there_is_no_such_finding(tmp_path):
    ports = ended(tmp_path)
    settle(ports, RUN)
    assert [] == [e for e in ports.books.read(RUN) if e.name == "blast_radius"]
