"""The order of a run's records: planned, started before the first fault, ended with a result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.evidence.log import place_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import PREDICATES, Statement

PLAN, START, RESULT = (f"{PREDICATES}{kind}/v1" for kind in ("plan", "run-start", "result"))


@dataclass(frozen=True, slots=True)
class Injection:
    """When a fault began, on the clock since boot of one host."""

    lease_id: str
    boot_id: str
    boottime_ms: int


def check_story(
    statements: Mapping[int, Statement], run_id: str, injected: Sequence[Injection]
) -> tuple[list[Trouble], Mapping[str, str]]:
    """Judge a run's statements by number; give the troubles, and the digests of its files."""
    if not statements:
        return [Trouble("E_NO_RUN", run_id, "records", "none", "the log knows no such run")], {}
    at = {PLAN: _first(statements, PLAN), START: _first(statements, START),
          RESULT: _latest(statements, RESULT)}
    result = None if at[RESULT] is None else statements[at[RESULT] or 0]
    faults = [*injected, *(_injections(result) if result else [])]
    troubles = [*_order(at, run_id, bool(faults)), *_late(statements, faults, run_id)]
    troubles += _one_plan(statements)
    subjects = {} if result is None else result.subjects
    if result is not None:
        troubles += _listed(result, at[RESULT])
    return troubles, subjects


def _first(statements: Mapping[int, Statement], kind: str) -> int | None:
    return min((i for i, s in statements.items() if s.predicate_type == kind), default=None)


def _latest(statements: Mapping[int, Statement], kind: str) -> int | None:
    return max((i for i, s in statements.items() if s.predicate_type == kind), default=None)


def _order(at: Mapping[str, int | None], run_id: str, faulted: bool) -> list[Trouble]:
    plan, start, result = at[PLAN], at[START], at[RESULT]
    troubles = []
    if plan is None:
        troubles.append(Trouble("E_NO_PLAN", run_id, "a plan", "none", "what was meant is unknown"))
    if start is None and faulted:
        troubles.append(Trouble(
            "E_NO_START", run_id, "a start before the first fault", "none",
            "the run was not announced before it acted",
        ))
    if start is not None and result is None:
        troubles.append(Trouble(
            "E_NO_RESULT", run_id, "a result for the start", "none",
            "the run goes on, or its end was hidden",
        ))
    there = [i for i in (plan, start, result) if i is not None]
    if there != sorted(there):
        troubles.append(Trouble(
            "E_ORDER", run_id, "plan, start, result", f"records {there}",
            "the run was planned or started after the fact",
        ))
    return troubles


def _late(
    statements: Mapping[int, Statement], faults: Sequence[Injection], run_id: str
) -> list[Trouble]:
    starts = [s for s in statements.values() if s.predicate_type == START]
    places = [p for s in starts if (p := place_of(s)) is not None]
    troubles = []
    for fault in faults:
        first = min((p.boottime_ms for p in places if p.boot_id == fault.boot_id), default=-1)
        if first > fault.boottime_ms:
            troubles.append(Trouble(
                "E_LATE_START", f"lease {fault.lease_id}", f"a start of {run_id} before it",
                f"a fault at {fault.boottime_ms} ms since boot, a start at {first} ms",
                "the fault began before the run was announced",
            ))
    return troubles


def _injections(result: Statement) -> list[Injection]:
    found = []
    experiments = result.predicate.get("experiments")
    for experiment in experiments if isinstance(experiments, list) else []:
        told = experiment if isinstance(experiment, Mapping) else {}
        at = told.get("injected_boottime_ms", -1)
        if isinstance(at, int) and at >= 0:
            found.append(Injection(str(told.get("lease_id")), str(told.get("boot_id")), at))
    return found


def _one_plan(statements: Mapping[int, Statement]) -> list[Trouble]:
    """Start and result must name the plan that was logged."""
    named = {
        index: str(s.predicate["plan_digest"])
        for index, s in statements.items() if "plan_digest" in s.predicate
    }
    wanted = next(iter(named.values()), "")
    return [
        Trouble(
            "E_PLAN_DIGEST", f"record {index}", wanted, found,
            "it speaks of another plan than the one that was logged",
        )
        for index, found in named.items() if found != wanted
    ]


def _listed(result: Statement, index: int | None) -> list[Trouble]:
    listed = result.predicate.get("artefacts")
    names = {
        str(a.get("name")): str(a.get("digest")).removeprefix("sha256:")
        for a in (listed if isinstance(listed, list) else []) if isinstance(a, Mapping)
    }
    if names == dict(result.subjects):
        return []
    return [Trouble(
        "E_SUBJECTS", f"record {index}", ", ".join(sorted(result.subjects)),
        ", ".join(sorted(names)), "the list of files and the signed subjects differ",
    )]
