"""Whether a run that had to be approved was: this plan, by another person, before it, in time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import is_signed, read, statement_of
from holdfast.evidence.keys import public_key
from holdfast.evidence.late import signed_when
from holdfast.evidence.log import Place
from holdfast.evidence.roles import APPROVAL
from holdfast.evidence.trouble import Injection, Trouble
from holdfast.model.approval import Answer, Approval, Rule
from holdfast.model.record import PREDICATES, Record, Statement

_PLAN, _START = f"{PREDICATES}plan/v1", f"{PREDICATES}run-start/v1"


def latest_approval(records: Sequence[Record], plan_digest: str, key: bytes) -> Approval | None:
    """The last answer about this plan among a run's records.

    EvidenceError if one of the answers was not signed with the key: it may be anybody's.
    """
    signer, found = public_key(key), None
    for record in records:
        if record.predicate_type != APPROVAL:
            continue
        envelope = read(record.envelope)
        if not is_signed(envelope, signer):
            raise EvidenceError("the approval was not signed here", index=record.index)
        told = approval_of(statement_of(envelope))
        found = told if told.plan_digest == plan_digest else found
    return found


def approval_of(statement: Statement) -> Approval:
    """Read an answer; EvidenceError if it is none."""
    told, place = statement.predicate, signed_when(statement)
    try:
        answer, at = Answer(str(told["answer"])), datetime.fromisoformat(_at(place))
        return Approval(
            str(told["plan_digest"]), answer, str(told["by"]), at, str(told["why"]),
            str(told["approved_by"]), -1 if place is None else place.index,
        )
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"not an approval: {error!r}") from error


def check_approvals(
    statements: Mapping[int, Statement], faults: Sequence[Injection]
) -> Iterator[Trouble]:
    """Judge every start of a run whose plan had to be approved."""
    plan, answers = None, list[Statement]()
    for index, statement in sorted(statements.items()):
        kind = statement.predicate_type
        if kind == _PLAN:
            plan, answers = statement, []
        elif kind == APPROVAL:
            answers.append(statement)
            yield from _withdrawn(index, statement, faults)
        elif kind == _START and plan is not None and "approval" in plan.predicate:
            yield from _start(f"record {index}", plan, statement, answers, faults)


def _start(
    where: str, plan: Statement, start: Statement, answers: Sequence[Statement],
    faults: Sequence[Injection],
) -> Iterator[Trouble]:
    try:
        spec = _rule(plan.predicate["approval"])
        why = spec.why_asked(_impact(plan), _irreversible(plan))
        told = approval_of(answers[-1]) if answers else None
    except (EvidenceError, KeyError, ValueError, TypeError) as error:
        meaning = "who had to approve the run, or has, cannot be read"
        yield Trouble("E_APPROVAL_MALFORMED", where, "an approval", str(error)[:200], meaning)
        return
    if not why:
        return
    if told is None or told.answer is not Answer.APPROVED:
        yield Trouble(
            "E_APPROVAL_MISSING_OR_LATE", where, f"an approval before it, as {why}",
            "none" if told is None else str(told), "the run began without being approved",
        )
        return
    yield from _person(where, spec, told, str(start.predicate.get("triggered_by", "")))
    allowed = round(spec.valid_for.total_seconds() * 1000) + _worst_case(plan)
    yield from _age(where, allowed, answers[-1], faults)


def _person(where: str, spec: Rule, told: Approval, triggered_by: str) -> Iterator[Trouble]:
    wrong = spec.why_not_by(told.by, triggered_by)
    if not wrong:
        return
    if spec.why_not_by(told.by, ""):
        code, wanted = "E_APPROVER_IDENTITY", ", ".join(spec.by) or "a name"
    else:
        code, wanted = "E_SELF_APPROVAL", f"somebody else than {triggered_by}"
    yield Trouble(code, where, wanted, told.by or "nobody", wrong)


def _age(
    where: str, allowed: int, answer: Statement, faults: Sequence[Injection]
) -> Iterator[Trouble]:
    """Hold the first fault after the answer against its age, on one clock of one host."""
    place = signed_when(answer)
    after = _after(place, faults)
    if place is not None and after and after[0].boottime_ms - place.boottime_ms > allowed:
        yield Trouble(
            "E_APPROVAL_EXPIRED", where, f"a fault within {allowed} ms of the approval",
            f"{after[0].boottime_ms - place.boottime_ms} ms", "the approval had become too old",
        )


def _withdrawn(
    index: int, statement: Statement, faults: Sequence[Injection]
) -> Iterator[Trouble]:
    if statement.predicate.get("answer") != Answer.WITHDRAWN.value:
        return
    for fault in _after(signed_when(statement), faults):
        yield Trouble(
            "E_APPROVAL_WITHDRAWN", f"lease {fault.lease_id}", f"no fault after record {index}",
            "one that began later", "a fault began after the approval was withdrawn",
        )


def _after(place: Place | None, faults: Sequence[Injection]) -> list[Injection]:
    """Faults that began after a record, as far as both were timed in the same boot; in order."""
    if place is None:
        return []
    later = [
        f for f in faults if f.boot_id == place.boot_id and f.boottime_ms > place.boottime_ms
    ]
    return sorted(later, key=lambda fault: fault.boottime_ms)


def _rule(told: object) -> Rule:
    if not isinstance(told, Mapping):
        raise EvidenceError(f"not a rule of approval: {told!r}")
    return Rule.read(told)


def _impact(plan: Statement) -> int:
    """What is not known counts as the worst."""
    impact = plan.predicate.get("impact")
    score = impact.get("score") if isinstance(impact, Mapping) else None
    return score if isinstance(score, int) else 100


def _worst_case(plan: Statement) -> int:
    """An approval counts when a fault is armed; it begins later, but not by more than this. ms."""
    longest = plan.predicate.get("worst_case_ms")
    return longest if isinstance(longest, int) else 0


def _irreversible(plan: Statement) -> list[str]:
    experiments = plan.predicate.get("experiments")
    told = experiments if isinstance(experiments, list) else []
    return [str(e["name"]) for e in told if isinstance(e, Mapping)
            and e.get("effect") == "irreversible"]


def _at(place: Place | None) -> str:
    return "" if place is None else place.recorded_at
