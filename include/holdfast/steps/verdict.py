"""Close a run: nothing of it stays on, its end is written down, people are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from textwrap import shorten

from holdfast.errors import (
    ApprovalRefused,
    BudgetExhausted,
    EvidenceError,
    GuardTripped,
    HoldfastError,
    Postponed,
    ResidueError,
    SafetyError,
    Stopped,
)
from holdfast.model.lease import End, Reason
from holdfast.model.run import EntryKind, Notice, Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps import planned
from holdfast.steps.approval import UNAPPROVED
from holdfast.steps.book import STOPPED, findings, run_of, suite_of
from holdfast.steps.items import finding_name, is_by_itself
from holdfast.steps.judge import judge
from holdfast.steps.let_go import let_go, residue
from holdfast.steps.revert import revert as revert_lease
from holdfast.steps.seal import seal
from holdfast.steps.settle import settle_at_last
from holdfast.steps.workloads import stop_workloads

_STOPS = frozenset({
    Reason.BREACH, Reason.NO_DATA, Reason.NOT_STEADY, Reason.STOPPED, Reason.BUDGET,
    Reason.KEEPER_SILENT, Reason.WITHDRAWN,
})
_SAID = 3
_COUNTS = "lost_writes"  # the checker whose losses are told by experiment as well
_ERRORS: Mapping[Reason, type[SafetyError]] = {
    Reason.BUDGET: BudgetExhausted, Reason.WITHDRAWN: ApprovalRefused,
}
_REFUSED: Mapping[str, type[SafetyError]] = {
    UNAPPROVED: ApprovalRefused, planned.NAME: SafetyError, STOPPED: Stopped,
}
"""Findings that no further fault was allowed to begin."""
_ENDS = frozenset({End.SILENCE, End.SIGNAL, End.REFUSED})


def close(
    ports: Ports, run_id: str, revert: Callable[[Ports, str], None] = revert_lease
) -> Run:
    """End the run and give it back; raise the error that says how it ended, if not well.

    Believes the stores only, and may run again: an ended run stays as it is, and its lock is given
    back only when nothing of it is left. A postponed run raises nothing.
    """
    run = run_of(ports, run_id)
    dirty = let_go(ports, run_id, "verdict", revert)
    stop_workloads(ports, run_id)
    ports.leases.unlock(run.environment, run_id)  # the store refuses while a lease is not clean
    settle_at_last(ports, run_id)
    unsealed = _seal_if_needed(ports, run)
    error = _error(ports, run, dirty, unsealed)
    if run.state is RunState.STARTED:
        verdict = Verdict.BROKEN if dirty else judge(ports, run_id)
        reason = _without(verdict, str(error)) if error else "every check held"
        run = replace(
            run, state=RunState.ENDED, verdict=verdict, reason=reason,
            ended_at=ports.clock.now().isoformat(timespec="milliseconds"),
        )
        ports.books.close_run(run)
    if error is not None:
        _tell(ports, run, error)
        raise error
    return run


def outcome(ports: Ports, run_id: str) -> HoldfastError | None:
    """Say how a run has ended, as the error that gives its exit code; None if all is well."""
    run = run_of(ports, run_id)
    if run.state is RunState.POSTPONED:
        return Postponed(run.reason)
    left = ports.leases.leases(run_id=run_id, open_only=True)
    dirty = [residue(x, "") for x in left]
    return _error(ports, run, dirty, _without_result(ports, run))


def _seal_if_needed(ports: Ports, run: Run) -> EvidenceError | None:
    """See that what was begun has a result in the log, and the right one; say why it has not."""
    try:
        kinds = {r.index: r.predicate_type for r in ports.notary.so_far(run.id)}
        start = max((i for i, kind in kinds.items() if kind.endswith("run-start/v1")), default=-1)
        if start < 0 and run.state is not RunState.STARTED:
            return None
        sealed = next((e.data for e in ports.books.read(run.id, EntryKind.VERDICT)), {})
        index = sealed.get("index", -1)
        is_there = isinstance(index, int) and index > start
        if not is_there or sealed.get("verdict") != judge(ports, run.id).name:
            seal(ports, run.id)
    except EvidenceError as error:
        return error
    return None


def _without_result(ports: Ports, run: Run) -> EvidenceError | None:
    """Say so when a verdict was never signed: it is written down, but proves nothing."""
    if run.verdict is None:
        return None
    try:
        kinds = [r.predicate_type for r in ports.notary.so_far(run.id)]
    except EvidenceError as error:
        return error
    if any(kind.endswith("result/v1") for kind in kinds):
        return None
    return EvidenceError(f"the result is not in the evidence log: {run.reason}")


def _error(
    ports: Ports, run: Run, dirty: Sequence[ResidueError], unsealed: EvidenceError | None
) -> HoldfastError | None:
    """Choose what weighs most: residue, evidence, safety, then the verdict itself."""
    if dirty:
        return dirty[0]
    if unsealed is not None:
        return unsealed
    if run.state is RunState.POSTPONED or _is_only_planned(run):
        return None
    verdict = judge(ports, run.id) if run.verdict is None else run.verdict
    if verdict is Verdict.HELD:
        return None
    return _stop(ports, run) or HoldfastError(f"{verdict.name}: {_why(ports, run, verdict)}")


def _is_only_planned(run: Run) -> bool:
    """A dry run ends without a verdict."""
    return run.state is RunState.ENDED and run.verdict is None


def _stop(ports: Ports, run: Run) -> SafetyError | None:
    """A guard that tripped outranks other stops."""
    tripped: list[SafetyError] = []
    stopped: list[SafetyError] = []
    for lease in ports.leases.leases(run_id=run.id):
        why, said = lease.revoked, f"{lease.experiment}: "
        if why is not None and why.reason is Reason.BREACH and lease.injected_at is not None:
            tripped.append(GuardTripped(said + why.text, why.reading))
        elif why is not None and why.reason in _STOPS:
            stop = _ERRORS.get(why.reason, Stopped)
            stopped.append(stop(said + why.text, why.reading))
        elif lease.ended in _ENDS:
            stopped.append(Stopped(said + (lease.detail or str(lease.ended))))
    stopped += [_REFUSED[f.name](f.text) for f in findings(ports, run.id) if f.name in _REFUSED]
    return next(iter([*tripped, *stopped]), None)


def _why(ports: Ports, run: Run, verdict: Verdict) -> str:
    """Say it once: what an experiment's recovery point tells, its checker says again."""
    bad = [f for f in findings(ports, run.id) if f.verdict is verdict]
    if any(f.name == "recovery_point" for f in bad):
        alone = _alone(ports, run)
        bad = [f for f in bad if f.experiment or f.name in alone
               or f.name.partition("-")[0] != _COUNTS]
    texts = [f"{f.experiment or 'the run'}: {shorten(f.text, 300)}" for f in bad[:_SAID]]
    if len(bad) > _SAID:
        texts.append(f"and {len(bad) - _SAID} more in the report")
    return "; ".join(texts) or "not every experiment was tried"


def _alone(ports: Ports, run: Run) -> set[str]:
    """Checks of histories by themselves: what they found no experiment says."""
    suite = suite_of(ports, run.id)
    numbers = range(len(suite.consistency))
    return {finding_name(suite, n) for n in numbers if is_by_itself(suite, n)}


def _without(verdict: Verdict, text: str) -> str:
    """The reason stands beside the verdict: it need not begin with it."""
    return text.removeprefix(f"{verdict.name}: ")


def _tell(ports: Ports, run: Run, error: HoldfastError) -> None:
    kinds = {ResidueError: "residue", EvidenceError: "evidence", SafetyError: "abort"}
    kind = next((k for cause, k in kinds.items() if isinstance(error, cause)), "")
    if not kind and run.verdict is Verdict.BROKEN:
        kind = "broken"
    if kind:
        verdict = "" if run.verdict is None else run.verdict.name
        data = {"verdict": verdict, "exit_code": error.exit_code}
        ports.notifier.tell(Notice(kind, run.id, run.suite, str(error), data))
