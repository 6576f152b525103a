"""What a run would do: resolved, bounded, with a digest that means something (O1, S2)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import SpecError
from holdfast.model.fault import Effect, Fault, Target
from holdfast.plan.plan import (
    Plan,
    PlannedExperiment,
    Unresolved,
    blast_radius,
    canonical,
    fault,
    make_plan,
)
from support import suites


def made(*changes: tuple[str, str], **drivers: object) -> Plan:
    return make_plan(suites.suite(*changes), "sha256:ab", suites.drivers() | drivers, "/home")


def planned(number: int, *targets: Target) -> PlannedExperiment:
    spec = Fault("noop", "s", {}, "/", timedelta(seconds=1))
    return PlannedExperiment("e", number, spec, Effect.HELD, targets, {}, timedelta(0))


def floats(value: object) -> list[float]:
    if isinstance(value, dict):
        return [f for inner in value.values() for f in floats(inner)]
    if isinstance(value, list):
        return [f for inner in value for f in floats(inner)]
    return [value] if isinstance(value, float) else []


def test_a_fault_gets_its_params_read_and_its_selector():
    suite = suites.suite()
    spec = fault(suite, suite.rounds[0].experiments[1], suites.drivers(), "/home")
    assert Fault(
        "latency", "link", {"proxy": "shop_proxy"}, "/home", timedelta(seconds=6),
        timedelta(seconds=2),
        {"latency": 0.1, "share": 1.0, "count": 3, "loud": False, "note": None},
    ) == spec


def test_params_that_no_longer_fit_their_driver_are_refused():
    drivers = suites.drivers()
    drivers["latency"].params = {}
    with pytest.raises(SpecError, match="experiment beside: unknown parameter 'latency'"):
        make_plan(suites.suite(), "sha256:ab", drivers, "/home")


def test_the_same_targets_give_the_same_digest():
    assert made().digest == made().digest


@pytest.mark.parametrize("change", [
    ("latency: 100ms", "latency: 101ms"), ("duration: 8s", "duration: 9s"),
    ("name: second", "name: third"), ("environment: staging", "environment: production"),
    ("proxy: shop_proxy", "proxy: other_proxy"),
])
def test_any_change_of_what_would_be_done_changes_the_digest(change):
    assert made().digest != made(change).digest


def test_another_target_changes_the_digest():
    class Other(type(suites.drivers()["hang"])):  # type: ignore[misc]
        def targets(self, fault: Fault) -> list[Target]:
            return [Target("other", fault.service, 0.5)]

    assert made().digest != made(hang=Other()).digest


def test_the_plan_holds_no_floats_since_their_bytes_differ_between_programs():
    drivers = suites.drivers()
    drivers["hang"].undo = {"was": 0.25, "list": [1.5]}
    plan = make_plan(suites.suite(), "sha256:ab", drivers, "/home").as_json()
    assert [] == floats(plan)
    assert "0.25" == plan["experiments"][0]["undo"]["was"]  # type: ignore[index]


def test_every_target_that_cannot_be_resolved_is_named_at_once():
    drivers = suites.drivers()
    drivers["hang"].refuse = "no pid file"
    drivers["kill"].refuse = "connection refused"
    with pytest.raises(Unresolved) as refused:
        make_plan(suites.suite(), "sha256:ab", drivers, "/home")
    assert (
        "first: api: no pid file", "second: api: connection refused",
    ) == refused.value.reasons


def test_a_connection_that_is_not_there_now_is_a_target_unresolved_with_its_hint():
    class Unconnected(type(suites.drivers()["hang"])):  # type: ignore[misc]
        def targets(self, fault: Fault) -> list[Target]:
            raise SpecError("there is no connections file", hint="holdfast shop up writes one")

    with pytest.raises(Unresolved, match=r"first: there is no .* .holdfast shop up writes one"):
        made(hang=Unconnected())


def test_the_worst_case_adds_baseline_waits_faults_and_recoveries():
    first, second = 7 + 5 + 30, 8 + 5 + 90
    beside = 2 + 6 + 5 + 30
    expected = 4 + (15 + max(first, beside) + 15) + (15 + second + 30)
    assert timedelta(seconds=expected) == made().worst_case


def test_canonical_bytes_do_not_depend_on_order():
    expected = '{"a":"ä","b":1}'.encode()
    assert expected == canonical({"b": 1, "a": "ä"}) == canonical({"a": "ä", "b": 1})


@pytest.mark.parametrize(("experiments", "radius"), [
    pytest.param([planned(0, Target("a", "db", 0.5)), planned(0, Target("b", "db", 0.5))],
                 {"db": 1.0}, id="two-targets-of-a-round-add-up"),
    pytest.param([planned(0, Target("a", "db", 0.5)), planned(0, Target("a", "db", 0.5))],
                 {"db": 0.5}, id="one-target-hit-twice-counts-once"),
    pytest.param([planned(0, Target("a", "db", 0.5)), planned(1, Target("b", "db", 0.25))],
                 {"db": 0.5}, id="the-largest-round-counts"),
    pytest.param([], {}, id="nothing-is-hit"),
])
def test_the_blast_radius_is_the_largest_part_that_one_round_hits(experiments, radius):
    assert radius == blast_radius(experiments)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcd"), st.floats(0, 1))))
def test_a_blast_radius_is_never_more_than_everything_nor_less_than_one_target(hits):
    shares = {name: share for _, name, share in hits}
    experiments = [planned(n, Target(name, "s", shares[name])) for n, name, _ in hits]
    radius = blast_radius(experiments).get("s", 0.0)
    assert max(shares.values(), default=0.0) <= radius <= 1.0


def test_a_cascade_is_in_the_plan_and_its_wait_in_the_worst_case():
    """F6: 30 s apart, and 10 s for the injection that it waits for."""
    change = ("duration: 6s, delay: 2s", "duration: 6s, delay: 2s, after: first")
    plan = made(change)
    assert ("first", 40_000) == tuple(
        plan.as_json()["experiments"][1][k] for k in ("after", "wait_ms"))  # type: ignore[index]
    assert timedelta(seconds=4 + (15 + 40 + 43 + 15) + (15 + 103 + 30)) == plan.worst_case
    assert made().digest != plan.digest
