"""Wait before each round until the target is well, or leave the round out."""

from collections.abc import Sequence

from holdfast.errors import Postponed
from holdfast.model.lease import End, Lease, LeaseState, Reason
from holdfast.model.run import EntryKind
from holdfast.model.suite import AfterAbort, Objective, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.steps import indicate
from holdfast.steps.book import note_stop, suite_of, write, write_finding
from holdfast.steps.rollout import not_held
from holdfast.steps.windows import closed

WAIT_SECONDS = 15.0
EVERY_SECONDS = 0.5
_ABORTS = frozenset({
    Reason.BREACH, Reason.NO_DATA, Reason.NOT_STEADY, Reason.STOPPED, Reason.BUDGET,
    Reason.KEEPER_SILENT, Reason.WITHDRAWN,
})
_SAID = (Reason.STOPPED, Reason.WITHDRAWN)
_IN_ORDER = (None, End.DURATION, End.REVOKED)


class RoundLeftOut(Postponed):
    """The round gets no fault; the run goes on to its checks."""


def steady(ports: Ports, run_id: str, round_index: int) -> None:
    """Wait up to 15 s until every objective holds.

    In the first round with a fault, Postponed if they do not. In a later one the target has not
    recovered: that is a finding, and RoundLeftOut. RoundLeftOut too after a stop, after an
    abort unless the suite goes on after aborts, and whenever a lease is not clean. Outside the
    suite's windows the first round is Postponed, a later one left out. Left out is also what
    begins only if another held, which has not.
    """
    suite = suite_of(ports, run_id)
    if not suite.rounds[round_index].experiments:
        return
    stopped = note_stop(ports, run_id)
    if stopped:
        raise RoundLeftOut(stopped)
    is_first = not any(step.experiments for step in suite.rounds[:round_index])
    if not is_first:
        _after_what_was(ports.leases.leases(run_id=run_id), suite, round_index)
    for experiment in suite.rounds[round_index].experiments:
        if why := not_held(ports, run_id, experiment):
            raise RoundLeftOut(why)
    _in_window(ports, run_id, (suite, round_index), is_first=is_first)
    began = ports.clock.boottime()
    broken = _wait(ports, suite, run_id)
    waited = ports.clock.boottime() - began
    write(ports, run_id, EntryKind.STEADY, f"round-{round_index + 1}",
          {"waited_seconds": round(waited, 3), "broken": broken})
    if not broken:
        return
    text = f"not steady within {WAIT_SECONDS:g} s: " + "; ".join(broken)
    if is_first:
        raise Postponed(text)
    name = f"steady-{round_index + 1}"
    write_finding(ports, run_id, Finding(
        name, Verdict.BROKEN, f"Before round {round_index + 1} the target was {text}.",
        measured={"waited_seconds": round(waited, 3)},
    ))
    raise RoundLeftOut(f"round {round_index + 1}: {text}")


def _in_window(
    ports: Ports, run_id: str, place: tuple[Suite, int], *, is_first: bool
) -> None:
    suite, number = place
    shut = closed(ports, suite, suite.rounds[number])
    if shut is None:
        return
    if is_first:
        raise Postponed(shut.text, opens=shut.opens)
    text = f"round {number + 1} was not begun: {shut.text}"
    write_finding(ports, run_id, Finding(f"window-{number + 1}", Verdict.UNKNOWN, text))
    raise RoundLeftOut(text)


def _after_what_was(leases: Sequence[Lease], suite: Suite, round_index: int) -> None:
    earlier = [lease for lease in leases if lease.round < round_index]
    for lease in earlier:
        if lease.state is not LeaseState.CLEAN:
            raise RoundLeftOut(f"lease {lease.id} of {lease.experiment} is {lease.state}")
    for lease in earlier:
        why, stopped = _abort(lease)
        if why and (stopped or suite.after_abort is AfterAbort.STOP):
            raise RoundLeftOut(f"{lease.experiment} was aborted before: {why}")


def _abort(lease: Lease) -> tuple[str, bool]:
    """Why the fault ended before its time, or nothing; and whether a person said so."""
    reason = lease.revoked.reason if lease.revoked else None
    if lease.revoked is not None and reason in _ABORTS:
        return lease.revoked.text or reason.value, reason in _SAID
    if reason is not Reason.SUPERSEDED and lease.ended not in _IN_ORDER:
        return f"its keeper ended it ({lease.ended})", False
    return "", False


def _wait(ports: Ports, suite: Suite, run_id: str) -> list[str]:
    """What does not hold at the end of the wait; empty as soon as all hold at once."""
    clock = ports.clock
    end = clock.boottime() + WAIT_SECONDS
    while True:
        seen = [(o, indicate.now(ports, suite, o, run_id)) for o in suite.objectives]
        broken = [reason for o, sample in seen if (reason := _why_not(o, sample))]
        if not broken or clock.boottime() >= end:
            return broken
        clock.sleep(EVERY_SECONDS)


def _why_not(objective: Objective, sample: Sample) -> str:
    bound = objective.objective
    if sample.value is None:
        return f"{objective.name} has no data: {sample.why}"
    if bound.holds(sample.value):
        return ""
    return f"{objective.name} is {bound.tell(sample.value)}, objective {bound}"
