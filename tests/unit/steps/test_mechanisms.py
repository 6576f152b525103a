"""Mechanisms of a run: what is asked, what is written, what is kept (R2, R5)."""

import json

import pytest

from holdfast.clients.history import operations as read_history
from holdfast.mechanisms.degradation import MECHANISM as DEGRADATION
from holdfast.model.mechanism import Criticality, MechanismState, risk
from holdfast.model.operation import Operation
from holdfast.model.verdict import Verdict
from holdfast.ports.mechanisms import Watched
from holdfast.steps.mechanisms import cumulated
from holdfast.steps.recover import recover
from support.after import ended, found, op, put_lease, record, steady
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL

BREAKER = """\
mechanisms:
  breaker:
    type: circuit_breaker
    criticality: medium
    indicators: {failures: failures, state: state}
consistency:"""
EXPECTED = (("consistency:", BREAKER),
            ("checks: [app_recovered]}", "mechanisms: [breaker]}"))
BEGUN = START.timestamp()  # the fault is on from 10 to 18 s
FAILURES = [(BEGUN + n, 100.0 + 5.0 * max(0, n - 10)) for n in range(41)]


def _state(closed_at, last=40):
    return [(BEGUN + n, 2.0 if 11 <= n < closed_at else 1.0 if n == closed_at else 0.0)
            for n in range(last + 1)]


def _judged(tmp_path, *changes, ranges, experiment="first", well=WELL, **lease):
    ports = ended(tmp_path, *changes, metrics=FakeMetrics(well, ranges=ranges))
    if lease:
        put_lease(ports, experiment, 0, **lease)
    recover(ports, RUN, experiment, f"lease-{experiment}")
    return ports


def test_a_mechanism_that_worked_is_held_with_its_figures(tmp_path):
    ports = _judged(tmp_path, *EXPECTED, ranges={"failures": FAILURES, "state": _state(20)})
    finding = found(ports, "breaker", "first")
    assert Verdict.HELD is finding.verdict
    assert finding.text.startswith("breaker is WORKING: opened 1.0 s after the fault")
    assert {"mechanism": "circuit_breaker", "state": "WORKING", "risk": "low", "failures": 45,
            "half_opened": 1} == {
        k: finding.measured[k] for k in ("mechanism", "state", "risk", "failures", "half_opened")}


def test_one_that_did_not_act_is_broken_and_as_risky_as_it_is_critical(tmp_path):
    ports = _judged(tmp_path, *EXPECTED, ranges={"failures": FAILURES, "state": _state(0)})
    finding = found(ports, "breaker", "first")
    assert (Verdict.BROKEN, "BROKEN", "medium") == (
        finding.verdict, finding.measured["state"], finding.measured["risk"])


def test_one_that_was_not_asked_to_act_is_unknown(tmp_path):
    quiet = [(at, 100.0) for at, _ in FAILURES]
    ports = _judged(tmp_path, *EXPECTED, ranges={"failures": quiet, "state": _state(0)})
    finding = found(ports, "breaker", "first")
    assert (Verdict.UNKNOWN, "NOT VALIDATED") == (finding.verdict, finding.measured["state"])


@pytest.mark.parametrize(("ranges", "why"), [
    ({"state": _state(0)}, "'failures' gives no data"),
    ({"failures": FAILURES}, "'state' gives no data"),
    ({"failures": FAILURES, "state": [_state(0), _state(0)]}, "'state' gives 2 series instead of"),
])
def test_one_that_cannot_be_seen_is_unknown_with_the_reason(tmp_path, ranges, why):
    finding = found(_judged(tmp_path, *EXPECTED, ranges=ranges), "breaker", "first")
    assert (Verdict.UNKNOWN, True) == (finding.verdict, why in finding.text), finding.text


def test_a_fault_that_was_never_injected_validates_nothing(tmp_path):
    ports = _judged(tmp_path, *EXPECTED, ranges={}, injected_at=None, reverted_at=None,
                    widest_gap=None)
    assert "breaker is NOT VALIDATED: the fault was never injected" == found(
        ports, "breaker", "first").text


def test_it_waits_a_while_for_what_has_yet_to_come_back(tmp_path):
    ports = ended(tmp_path, *EXPECTED, metrics=FakeMetrics(
        WELL, ranges={"failures": FAILURES, "state": _state(47, last=60)}))
    put_lease(ports, "first", 0, injected_at=1030.0, reverted_at=1039.0, clean_at=1039.5)
    record(ports, steady(1000, 1050))
    recover(ports, RUN, "first", "lease-first")
    assert (MechanismState.WORKING, 48.0) == (
        found(ports, "breaker", "first").measured["state"], ports.clock.passed)


def test_it_does_not_wait_for_ever(tmp_path):
    ports = ended(tmp_path, *EXPECTED, metrics=FakeMetrics(
        WELL, ranges={"failures": FAILURES, "state": _state(90, last=60)}))
    put_lease(ports, "first", 0, injected_at=1030.0, reverted_at=1039.0, clean_at=1039.5)
    record(ports, steady(1000, 1050))
    recover(ports, RUN, "first", "lease-first")
    assert (MechanismState.PARTIAL, 49.0) == (
        found(ports, "breaker", "first").measured["state"], ports.clock.passed)


def test_only_what_an_experiment_expects_is_judged(tmp_path):
    ports = _judged(tmp_path, *EXPECTED, experiment="second",
                    ranges={"failures": FAILURES, "state": _state(20)})
    with pytest.raises(ValueError, match="not enough values"):
        found(ports, "breaker", "second")


DEGRADES = """\
mechanisms:
  goes-on: {type: degradation, history: orders, params: {must: browse}}
consistency:"""
GOES_ON = (("consistency:", DEGRADES),
           ("checks: [app_recovered]}", "mechanisms: [goes-on]}"))


def _history():
    browse = [Operation(9000 + n, 9000 + n, "browse", None, at, at, at + 0.05, "ok")
              for n in range(60) for at in [1005.0 + n / 2 + 0.01]]
    failed = [op(1011 + n / 10, 0.05, "fail") for n in range(20)]
    return [*steady(1000, 1011), *failed, *steady(1013, 1040), *browse]


def test_a_history_is_judged_by_its_operations_of_the_fault_window(tmp_path):
    ports = ended(tmp_path, *GOES_ON)
    record(ports, _history())
    recover(ports, RUN, "first", "lease-first")
    finding = found(ports, "goes-on", "first")
    assert (Verdict.HELD, 1.0, 0.75) == (
        finding.verdict, finding.measured["well_browse"], finding.measured["well_order"])


def test_a_history_that_cannot_be_read_validates_nothing(tmp_path):
    ports = ended(tmp_path, *GOES_ON)
    (tmp_path / "shop" / "history" / "orders.jsonl").unlink()
    recover(ports, RUN, "first", "lease-first")
    assert "cannot be read" in found(ports, "goes-on", "first").text


def test_an_operation_without_an_end_is_kept_as_it_is(tmp_path):
    ports = ended(tmp_path, *GOES_ON)
    record(ports, [*_history(), Operation(1, 1, "browse", None, 1012, 1012, None, "info")])
    recover(ports, RUN, "first", "lease-first")
    file = next(a for a in ports.artefacts.of(RUN) if a.name == "mechanisms-first.json")
    (kept,) = json.loads(ports.artefacts.path(file).read_bytes())
    assert ["browse", BEGUN + 12.0, None, "info"] in kept["operations"]


def test_the_verdict_can_be_checked_again_from_what_was_kept(tmp_path):
    ports = ended(tmp_path, *GOES_ON)
    record(ports, _history())
    recover(ports, RUN, "first", "lease-first")
    file = next(a for a in ports.artefacts.of(RUN) if a.name == "mechanisms-first.json")
    (kept,) = json.loads(ports.artefacts.path(file).read_bytes())
    operations = [Operation(n, n, f, None, intended, intended, completed, outcome)
                  for n, (f, intended, completed, outcome) in enumerate(kept["operations"])]
    again = DEGRADATION.judge(Watched(
        kept["start"], kept["injected"], kept["reverted"], kept["end"], kept["series"],
        operations, kept["params"],
    ))
    assert (kept["state"], kept["text"]) == (again.state.value, again.text)
    assert len(read_history(tmp_path / "shop/history/orders.jsonl", 1010, 1018)) == len(operations)


@pytest.mark.parametrize(("every", "counts"), [
    pytest.param([[(0, 5), (1, 7), (2, 7)]], [0, 2, 2], id="from-what-it-was"),
    pytest.param([[(0, 5), (1, 7), (2, 1)]], [0, 2, 3], id="a-reset-begins-at-0"),
    pytest.param([[(0, 5), (2, 5)], [(0, 1), (1, 2), (2, 3)]], [0, 1, 2], id="a-gap-is-no-rise"),
    pytest.param([[(0, 5), (5, 9)], [(5, 2)]], [0, 6], id="a-later-process-began-at-0"),
    pytest.param([[]], [], id="nothing"),
])
def test_a_counters_series_are_counted_together(every, counts):
    assert counts == [value for _, value in cumulated(every, 0)]


@pytest.mark.parametrize(("state", "criticality", "expected"), [
    (MechanismState.WORKING, Criticality.HIGH, Criticality.LOW),
    (MechanismState.BROKEN, Criticality.HIGH, Criticality.HIGH),
    (MechanismState.PARTIAL, Criticality.HIGH, Criticality.MEDIUM),
    (MechanismState.PARTIAL, Criticality.LOW, Criticality.LOW),
    (MechanismState.NOT_VALIDATED, Criticality.MEDIUM, Criticality.LOW),
])
def test_the_risk_follows_from_state_and_criticality(state, criticality, expected):
    assert expected is risk(state, criticality)
