"""The end of a run: clean, unlocked, written down, told, and with the right exit code."""

import pytest

from holdfast.errors import (
    BudgetExhausted,
    EvidenceError,
    GuardTripped,
    HoldfastError,
    ResidueError,
    Stopped,
)
from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import note_stop, write_finding
from holdfast.steps.reserve import reserve
from holdfast.steps.seal import seal
from holdfast.steps.stop import stop
from holdfast.steps.verdict import close, outcome
from support.after import ended, put_lease, set_state
from support.memory_books import MemoryNotary
from support.runs import RUN


def _revert(ports, lease_id):
    """A revert that works."""
    row = ports.leases.read(lease_id)
    ports.leases._put(row, state=LeaseState.CLEAN)


def _in_vain(ports, lease_id):
    raise ResidueError("the process is still stopped", lease=lease_id)


def _begun(tmp_path, **parts):
    ports = ended(tmp_path, **parts)
    reserve(ports, RUN)
    return ports


def _closing(ports, revert=_revert):
    try:
        close(ports, RUN, revert)
    except HoldfastError as error:
        return error
    return None


def _said(reason):
    at = "2026-01-01T00:00:00+00:00"
    return Revocation(reason, "errors were 3%", "guard", at, {"errors": 0.03})


def test_a_run_that_held_ends_well_and_gives_the_environment_back(tmp_path):
    ports = _begun(tmp_path)
    run = close(ports, RUN, _revert)
    told = run.state, run.verdict, run.reason
    assert (RunState.ENDED, Verdict.HELD, "every check held") == told
    assert ("", []) == (ports.leases.environment("staging").locked_by, ports.notifier.told)


def test_what_is_still_on_is_revoked_and_reverted(tmp_path):
    """DESIGN: verdict revokes every lease of the run that is not clean."""
    ports = _begun(tmp_path)
    put_lease(ports, "first", state=LeaseState.ACTIVE, ended=None)
    _closing(ports)
    lease = ports.leases.read("lease-first")
    assert (Reason.CLOSED, LeaseState.CLEAN) == (lease.revoked.reason, lease.state)


def test_residue_keeps_the_lock_and_is_told(tmp_path):
    """Not clean is the worst outcome there is."""
    ports = _begun(tmp_path)
    put_lease(ports, "first", state=LeaseState.UNCLEAN)
    error = _closing(ports, _in_vain)
    run = ports.books.run(RUN)
    assert (ResidueError, 5, Verdict.BROKEN) == (type(error), error.exit_code, run.verdict)
    assert "the process is still stopped" in str(error)
    assert (RUN, ["residue"]) == (
        ports.leases.environment("staging").locked_by, [n.kind for n in ports.notifier.told])


@pytest.mark.parametrize(("lease", "verdict", "error", "kind"), [
    pytest.param({"revoked": _said(Reason.BREACH), "ended": End.REVOKED}, Verdict.BROKEN,
                 GuardTripped, "abort", id="breach"),
    pytest.param({"revoked": _said(Reason.NO_DATA), "ended": End.REVOKED}, Verdict.UNKNOWN,
                 Stopped, "abort", id="no-data"),
    pytest.param({"revoked": _said(Reason.STOPPED), "ended": End.REVOKED}, Verdict.UNKNOWN,
                 Stopped, "abort", id="stopped"),
    pytest.param({"revoked": _said(Reason.BUDGET), "ended": End.REVOKED}, Verdict.UNKNOWN,
                 BudgetExhausted, "abort", id="budget"),
    pytest.param({"ended": End.SILENCE, "detail": "no renewal"}, Verdict.UNKNOWN, Stopped, "abort",
                 id="silence"),
    pytest.param({}, Verdict.BROKEN, HoldfastError, "broken", id="broken"),
])
def test_the_error_says_how_it_ended(tmp_path, lease, verdict, error, kind):
    ports = _begun(tmp_path)
    put_lease(ports, "first", **lease)
    write_finding(ports, RUN, Finding("fault", verdict, "it did not go well", "first"))
    raised = _closing(ports)
    assert (error, verdict, [kind]) == (
        type(raised), ports.books.run(RUN).verdict, [n.kind for n in ports.notifier.told])


def test_a_breach_outranks_a_stop(tmp_path):
    ports = _begun(tmp_path)
    put_lease(ports, "first", revoked=_said(Reason.STOPPED))
    put_lease(ports, "second", 1, revoked=_said(Reason.BREACH))
    write_finding(ports, RUN, Finding("fault", Verdict.BROKEN, "", "second"))
    assert {"errors": 0.03} == _closing(ports).reading
    assert isinstance(_closing(ports), GuardTripped)


def test_a_run_that_proved_nothing_fails_without_a_notice(tmp_path):
    ports = _begun(tmp_path)
    write_finding(ports, RUN, Finding("fault", Verdict.UNKNOWN, "never injected", "first"))
    error = _closing(ports)
    assert (1, "UNKNOWN: first: never injected", []) == (
        error.exit_code, str(error), ports.notifier.told)


def _reason(ports, *found):
    for finding in found:
        write_finding(ports, RUN, finding)
    _closing(ports)
    return ports.books.run(RUN).reason


def test_lost_writes_are_said_once(tmp_path):
    """The checker counts them for the run, the recovery point for the fault that lost them."""
    assert "first: 9 lost, 0 allowed" == _reason(
        _begun(tmp_path),
        Finding("lost_writes", Verdict.BROKEN, "orders: 9 of 20 are lost"),
        Finding("recovery_point", Verdict.BROKEN, "9 lost, 0 allowed", "first"),
    )


def test_what_other_checks_found_is_said_beside_lost_writes(tmp_path):
    assert "first: 9 lost, 0 allowed; the run: stock: 1 changed: 3" == _reason(
        _begun(tmp_path),
        Finding("lost_writes-orders", Verdict.BROKEN, "orders: 9 of 20 are lost"),
        Finding("recovery_point", Verdict.BROKEN, "9 lost, 0 allowed", "first"),
        Finding("tables-database", Verdict.BROKEN, "stock: 1 changed: 3"),
    )


def test_what_only_the_run_knows_is_not_left_out(tmp_path):
    assert "the run: orders: 9 of 20 are lost" == _reason(
        _begun(tmp_path), Finding("lost_writes", Verdict.BROKEN, "orders: 9 of 20 are lost"))


def test_a_reason_stays_short(tmp_path):
    found = [Finding(f"f{n}", Verdict.BROKEN, "it is not well " * 90) for n in range(5)]
    reason = _reason(_begun(tmp_path), *found)
    assert reason.endswith("; and 2 more in the report")
    assert len(reason) < 1000


def test_closing_again_changes_nothing(tmp_path):
    ports = _begun(tmp_path)
    first = close(ports, RUN, _revert)
    ports.clock.passed += 60
    write_finding(ports, RUN, Finding("late", Verdict.HELD, "a late twin"))
    assert first == close(ports, RUN, _revert)


def test_a_late_twin_does_not_take_the_next_runs_lock(tmp_path):
    ports = _begun(tmp_path)
    close(ports, RUN, _revert)
    ports.leases.lock("staging", "checkout--manual_2")
    close(ports, RUN, _revert)
    assert "checkout--manual_2" == ports.leases.environment("staging").locked_by


@pytest.mark.parametrize("state", [RunState.POSTPONED, RunState.ENDED])
def test_a_postponed_or_dry_run_raises_nothing(tmp_path, state):
    ports = _begun(tmp_path)
    set_state(ports, state, reason="not now")
    assert (state, None) == ((run := close(ports, RUN, _revert)).state, run.verdict)


def _results(ports):
    return [r for r in ports.notary.records(RUN) if r.predicate_type.endswith("result/v1")]


def test_a_start_always_gets_its_result(tmp_path):
    """E1: a start without a result would look like a hidden run."""
    ports = _begun(tmp_path)
    set_state(ports, RunState.POSTPONED)
    close(ports, RUN, _revert)
    assert 1 == len(_results(ports))


def test_a_result_that_is_right_is_not_written_again(tmp_path):
    ports = _begun(tmp_path)
    seal(ports, RUN)
    close(ports, RUN, _revert)
    assert 1 == len(_results(ports))


def test_a_result_that_came_to_be_wrong_is_corrected(tmp_path):
    ports = _begun(tmp_path)
    seal(ports, RUN)
    write_finding(ports, RUN, Finding("tasks", Verdict.UNKNOWN, "marked failed"))
    _closing(ports)
    assert 2 == len(_results(ports))


def test_a_result_that_cannot_be_written_is_an_evidence_error(tmp_path):
    ports = _begun(tmp_path, notary=MemoryNotary())
    ports.notary.broken = "no permission on the key file"
    error = _closing(ports)
    assert (6, ["evidence"]) == (error.exit_code, [n.kind for n in ports.notifier.told])
    assert isinstance(error, EvidenceError)


def test_a_verdict_that_nobody_signed_is_an_evidence_error_ever_after(tmp_path):
    """E1: the exit code is read from the stores once the run has ended."""
    ports = _begun(tmp_path, notary=MemoryNotary())
    ports.notary.broken = "others may read the signing key"
    _closing(ports)
    ports.notary.broken = ""
    error = outcome(ports, RUN)
    assert (EvidenceError, 6) == (type(error), error.exit_code)
    assert "others may read the signing key" in str(error)


def test_a_run_that_held_and_was_signed_has_no_error(tmp_path):
    ports = _begun(tmp_path)
    close(ports, RUN, _revert)
    assert outcome(ports, RUN) is None



def test_a_run_that_was_stopped_between_its_faults_ends_as_stopped(tmp_path):
    ports = _begun(tmp_path)
    stop(ports, "ada", "enough", run_id=RUN)
    note_stop(ports, RUN)
    error = _closing(ports)
    assert (Stopped, 4) == (type(error), error.exit_code)
    assert "stopped by ada: enough" in str(error)
    assert ["abort"] == [n.kind for n in ports.notifier.told]
