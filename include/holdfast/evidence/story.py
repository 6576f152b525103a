"""The order of a run's records: planned, approved if it must be, started, ended with a result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.evidence.agreement import check_agreement
from holdfast.evidence.approval import check_approvals
from holdfast.evidence.late import check_late, signed_when
from holdfast.evidence.log import place_of
from holdfast.evidence.roles import APPROVAL
from holdfast.evidence.trouble import Injection, Trouble
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.verdict import Verdict

PLAN, START, RESULT, REPORT = (
    f"{PREDICATES}{kind}/v1" for kind in ("plan", "run-start", "result", "report")
)


@dataclass(frozen=True, slots=True)
class Story:
    """What a run's records tell: troubles, what is worth a note, the digests of its files.

    `standing` is the latest signed verdict, `postponed`, or empty without a result.
    """

    troubles: Sequence[Trouble]
    notes: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    standing: str = ""


def check_story(
    statements: Mapping[int, Statement], run_id: str, injected: Sequence[Injection]
) -> Story:
    """Judge a run's statements, by number."""
    if not statements:
        wrong = Trouble("E_NO_RUN", run_id, "records", "none", "the log knows no such run")
        return Story([wrong])
    results = [i for i, s in sorted(statements.items()) if s.predicate_type == RESULT]
    reports = [s for _, s in sorted(statements.items()) if s.predicate_type == REPORT]
    result = statements[results[-1]] if results else None
    faults = [*injected, *(_injections(result) if result else [])]
    changed, superseded = _superseded(statements)
    late, not_comparable = _late(statements, faults, run_id)
    approvals = check_approvals(statements, faults)
    delayed = list(check_late(statements, PLAN))
    troubles = [*_order(statements, run_id), *changed, *late, *approvals,
                *(told for told in delayed if isinstance(told, Trouble)),
                *check_agreement(statements)]
    notes = [*superseded, *not_comparable, *(told for told in delayed if isinstance(told, str))]
    if result is not None:
        troubles += _replaced(result, reports[-1:])
        troubles += _listed(result, results[-1])
    latest = [*([] if result is None else [result]), *reports[-1:]]
    files = {name: d for s in latest for name, d in s.subjects.items()}
    standing = "" if result is None else _standing(result)
    return Story(troubles, notes, files, standing)


def _order(statements: Mapping[int, Statement], run_id: str) -> list[Trouble]:
    """Plan, then start, then result; a run that was cleared goes through them again."""
    troubles = list[Trouble]()
    plan, started = "", -1
    for index, statement in sorted(statements.items()):
        digest = str(statement.predicate.get("plan_digest", ""))
        if statement.predicate_type == PLAN:
            plan = digest
        elif statement.predicate_type == APPROVAL:
            troubles += _for_this_plan(index, statement, plan)
        elif digest != plan:
            troubles.append(Trouble(
                "E_PLAN_DIGEST", f"record {index}", plan or "a plan logged before it",
                digest or "none", "it speaks of a plan that was not logged before it",
            ))
        if statement.predicate_type == START:
            started = index
        if statement.predicate_type == RESULT:
            started = -1
    if started >= 0:
        troubles.append(Trouble(
            "E_NO_RESULT", run_id, f"a result for the start in record {started}", "none",
            "the run goes on, or its end was hidden",
        ))
    return troubles


def _for_this_plan(index: int, approval: Statement, plan: str) -> Iterator[Trouble]:
    """An answer counts once: for the plan and the run that it names."""
    place = place_of(approval)
    said = (approval.predicate.get("plan_digest"), approval.predicate.get("run_id"))
    asked = (plan, "" if place is None else place.run_id)
    if said != asked:
        yield Trouble(
            "E_APPROVAL_NOT_FOR_THIS_PLAN", f"record {index}", " of ".join(asked),
            " of ".join(map(str, said)), "the answer was given for another plan or run",
        )


def _superseded(statements: Mapping[int, Statement]) -> tuple[list[Trouble], list[str]]:
    """Name every result that a later one replaced; only a new start may make it better."""
    troubles, notes = list[Trouble](), list[str]()
    before, is_new = -1, False
    for index, statement in sorted(statements.items()):
        if statement.predicate_type == START:
            is_new = True
        if statement.predicate_type != RESULT:
            continue
        if before >= 0:
            was, now = _verdict(statements[before]), _verdict(statement)
            if is_new or _is_allowed(was, now):
                why = ": the run was started again" if is_new else ""
                notes.append(
                    f"the result in record {before} ({was}) is superseded by record {index} "
                    f"({now}){why}"
                )
            else:
                troubles.append(Trouble(
                    "E_RESULT_CHANGED", f"record {index}", f"{was}, as in record {before}", now,
                    "a later result tells another verdict without a new start of the run",
                ))
        before, is_new = index, False
    return troubles, notes


def _verdict(result: Statement) -> str:
    return str(result.predicate.get("verdict"))


def _standing(result: Statement) -> str:
    return "postponed" if result.predicate.get("is_postponed") is True else _verdict(result)


def _is_allowed(was: str, now: str) -> bool:
    """What came to light later may make it worse, never better."""
    known = Verdict.__members__
    return was == now or (was in known and now in known and known[now] > known[was])


def _late(
    statements: Mapping[int, Statement], faults: Sequence[Injection], run_id: str
) -> tuple[list[Trouble], list[str]]:
    starts = [s for s in statements.values() if s.predicate_type == START]
    places = [p for s in starts if (p := signed_when(s)) is not None]
    troubles, notes = list[Trouble](), dict[str, None]()
    if faults and not places:
        troubles.append(Trouble(
            "E_NO_START", run_id, "a start before the first fault", "none",
            "the run was not announced before it acted",
        ))
    for fault in faults:
        first = min((p.boottime_ms for p in places if p.boot_id == fault.boot_id), default=-1)
        if first < 0 and places:
            notes[
                f"lease {fault.lease_id}: not comparable: the fault and the start were timed in "
                f"different boots, so nothing shows which was first"
            ] = None
        if first > fault.boottime_ms:
            troubles.append(Trouble(
                "E_LATE_START", f"lease {fault.lease_id}", f"a start of {run_id} before it",
                f"a fault at {fault.boottime_ms} ms since boot, a start at {first} ms",
                "the fault began before the run was announced",
            ))
    return troubles, list(notes)


def _injections(result: Statement) -> list[Injection]:
    found = []
    experiments = result.predicate.get("experiments")
    for experiment in experiments if isinstance(experiments, list) else []:
        told = experiment if isinstance(experiment, Mapping) else {}
        at = told.get("injected_boottime_ms", -1)
        if isinstance(at, int) and at >= 0:
            found.append(Injection(str(told.get("lease_id")), str(told.get("boot_id")), at))
    return found


def _replaced(result: Statement, reports: Sequence[Statement]) -> Iterator[Trouble]:
    for report in reports:
        for name, digest in report.subjects.items():
            if result.subjects.get(name, digest) != digest:
                yield Trouble(
                    "E_SUBJECTS", name, f"sha256:{result.subjects[name][:16]}, as in the result",
                    f"sha256:{digest[:16]}", "a report puts another file in the place of one",
                )


def _listed(result: Statement, index: int) -> list[Trouble]:
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
