"""R1, R4: recovery from a fault, measured and judged."""

import pytest

from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.model.run import EntryKind
from holdfast.model.verdict import Verdict
from holdfast.steps.recover import recover
from support import suites
from support.after import ended, found, op, put_lease, record, steady
from support.ports import FakeMetrics
from support.runs import RUN

NO_CHECKS = (", checks: [app_recovered]", "")


def _recovered(ports, experiment="second"):
    recover(ports, RUN, experiment, f"lease-{experiment}")
    entry = next(e for e in ports.books.read(RUN, EntryKind.RECOVERY) if e.experiment == experiment)
    return found(ports, "recovery", experiment), entry.data


def _failing(start, end):
    bad = [op(start + n / 10, 0.1, "fail") for n in range(round((end - start) * 10))]
    return [*steady(1000, start), *bad, *steady(end, 1060)]


def test_a_fault_that_nobody_felt_is_held(tmp_path):
    finding, data = _recovered(ended(tmp_path))
    assert (Verdict.HELD, "no operation failed or was slow: users felt nothing") == (
        finding.verdict, finding.text)
    assert ("detection_ms" in data, data["recovery_from_fault_ms"], data["failed"]) == (False, 0, 0)


def test_recovery_of_a_one_shot_fault_counts_from_the_fault(tmp_path):
    """R4: from the fault and from the revert, detection too."""
    ports = ended(tmp_path)
    record(ports, _failing(1011, 1022))
    finding, data = _recovered(ports)
    assert (Verdict.HELD, "recovered 12.0 s after the fault, 30 s allowed") == (
        finding.verdict, finding.text)
    figures = ("detection_ms", "recovery_from_fault_ms", "recovery_from_revert_ms", "failed")
    assert (1100, 12_000, 4000, 110) == tuple(data[name] for name in figures)


def test_recovery_of_a_held_fault_counts_from_the_revert(tmp_path):
    ports = ended(tmp_path, NO_CHECKS)
    record(ports, _failing(1011, 1022))
    finding, _ = _recovered(ports, "first")
    assert "recovered 4.0 s after the revert, 15 s allowed" == finding.text


def test_too_late_is_broken(tmp_path):
    ports = ended(tmp_path, ("recovery_within: 30s", "recovery_within: 5s"))
    record(ports, _failing(1011, 1022))
    finding, _ = _recovered(ports)
    assert (Verdict.BROKEN, "recovered 12.0 s after the fault, 5 s allowed") == (
        finding.verdict, finding.text)


def test_operations_that_go_on_failing_are_broken(tmp_path):
    ports = ended(tmp_path)
    record(ports, _failing(1011, 1060))
    finding, _ = _recovered(ports)
    assert (Verdict.BROKEN, True) == (finding.verdict, "still fail" in finding.text)


def test_an_objective_that_does_not_come_back_is_broken(tmp_path):
    metrics = FakeMetrics({suites.ERRORS: 0.25, suites.LATENCY: 0.05})
    finding, _ = _recovered(ended(tmp_path, metrics=metrics))
    assert (Verdict.BROKEN, "not back in its steady state: errors is 25%, objective < 1%") == (
        finding.verdict, finding.text)


def test_it_waits_for_the_objectives(tmp_path):
    metrics = FakeMetrics({suites.ERRORS: [0.25, 0.25, 0.001], suites.LATENCY: 0.05})
    ports = ended(tmp_path, metrics=metrics)
    finding, _ = _recovered(ports)
    assert (Verdict.HELD, 41.0) == (finding.verdict, ports.clock.passed)


def test_without_data_nobody_knows(tmp_path):
    metrics = FakeMetrics({suites.ERRORS: "Prometheus is down", suites.LATENCY: 0.05})
    finding, _ = _recovered(ended(tmp_path, metrics=metrics))
    assert (Verdict.UNKNOWN, True) == (finding.verdict, "Prometheus is down" in finding.text)


def test_without_a_history_the_objectives_say_when(tmp_path):
    ports = ended(tmp_path)
    (tmp_path / "shop" / "history" / "orders.jsonl").unlink()
    finding, data = _recovered(ports)
    assert ("objectives", 30_000, Verdict.HELD) == (
        data["source"], data["recovery_from_fault_ms"], finding.verdict)


def test_a_fault_that_was_never_injected_leaves_no_recovery_to_judge(tmp_path):
    ports = ended(tmp_path)
    put_lease(ports, "second", 1, injected_at=None, reverted_at=None, widest_gap=None)
    recover(ports, RUN, "second", "lease-second")
    (entry,) = ports.books.read(RUN, EntryKind.RECOVERY)
    assert entry.data["injected"] is False


@pytest.mark.parametrize("journal", [True, False])
def test_every_check_is_a_finding(tmp_path, journal):
    """R1. Nothing answers here: neither probe can say that all is well."""
    ports = ended(tmp_path, ("[app_recovered]", "[app_recovered, standby_promoted]"))
    if not journal:
        ports.journals.written.clear()
    recover(ports, RUN, "first", "lease-first")
    verdicts = {found(ports, n, "first").verdict for n in ("app_recovered", "standby_promoted")}
    assert Verdict.HELD not in verdicts


def test_the_figures_of_lease_and_abort_are_kept(tmp_path):
    """S4: an abort's own latency, in its two parts."""
    ports = ended(tmp_path)
    said = Revocation(Reason.BREACH, "errors were 3%", "guard", "2025-12-31T23:59:59.880+00:00",
                      spent_ms=38.4)
    put_lease(ports, "second", 1, revoked=said, ended=End.REVOKED, state=LeaseState.CLEAN)
    _, data = _recovered(ports)
    assert (5000, 700, 4300, 38, 120, 158, 8000) == tuple(data[k] for k in (
        "lease_ms", "widest_gap_ms", "lease_margin_ms", "guard_ms", "keeper_ms", "abort_ms",
        "active_ms"))
