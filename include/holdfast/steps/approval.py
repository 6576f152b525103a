"""Have a person approve a run's plan, and let no fault of it begin without."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from holdfast.errors import ApprovalRefused, HoldfastError, NotApproved
from holdfast.evidence.approval import latest_approval
from holdfast.evidence.roles import APPROVAL
from holdfast.model.approval import Answer, Approval
from holdfast.model.approval_spec import ApprovalSpec
from holdfast.model.quantities import format_duration
from holdfast.model.record import Role, Statement
from holdfast.model.run import EntryKind, Notice
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.approval_request import Request, irreversible, others, request, shown
from holdfast.steps.book import plan_of, run_of, suite_of, write, write_finding

ASKED, ANSWER, UNCOUNTED = "asked", "answer", "not counted"
"""Names of the entries: what a person was asked, what became of it, a yes that did not count."""
UNAPPROVED = "approval"
"""Name of the finding that a fault could not begin for want of an approval."""


class AskAgain(HoldfastError):
    """A yes that does not count: of somebody who may not say it, or about something else."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered: `by` is empty when nobody has; `plan` and `naming` are as they wrote them.

    `naming` is needed for faults that cannot be undone: who approves them names them. `at` is when
    they answered, None for now: Airflow takes answers for as long as nobody has looked at its
    clock, which a triggerer that is down does not.
    """

    yes: bool
    by: str = ""
    plan: str = ""
    naming: str = ""
    why: str = ""
    at: datetime | None = None


def why_asked(ports: Ports, run_id: str) -> str:
    """Say why a person must approve the run's plan; empty if nobody need."""
    spec = suite_of(ports, run_id).approval
    if spec is None:
        return ""
    return spec.rule.why_asked(_impact(ports, run_id), irreversible(plan_of(ports, run_id)))


def ask(ports: Ports, run_id: str) -> Request | None:
    """Say what a person is to be asked; None if nobody need be, or one has approved already.

    NotApproved if nobody could say yes. Asked again about the same plan, the same wait goes on.
    """
    why = why_asked(ports, run_id)
    if not why or not _why_void(ports, run_id):
        return None
    run, spec, told = run_of(ports, run_id), _spec(ports, run_id), signed_answer(ports, run_id)
    persons = others(ports, run_id)
    if spec.by and not persons:
        asker = run.triggered_by
        raise NotApproved(f"nobody but {asker} may approve it, who has triggered it")
    pending = pending_request(ports, run_id)
    until = ports.clock.now() + spec.wait
    if pending is not None:
        until = datetime.fromisoformat(str(pending["until"]))
    write(ports, run_id, EntryKind.APPROVAL, ASKED, {
        "plan": _digest(ports, run_id), "why": why, "until": until.isoformat(),
        "by": persons, "after": -1 if told is None else told.index,
    })
    ports.notifier.tell(Notice("approval", run_id, run.suite, f"approval is wanted: {why}"))
    return request(ports, run_id, why, until)


def answer(ports: Ports, run_id: str, given: Given) -> None:
    """Sign what was answered; return if it is a yes that counts, else NotApproved.

    AskAgain for a yes that does not count. Anybody may say no. The first answer that counts stands;
    one that was given when the time for it was over is none.
    """
    pending = pending_request(ports, run_id)
    if pending is not None:
        if (given.at or ports.clock.now()) > datetime.fromisoformat(str(pending["until"])):
            given = Given(yes=False)
        if given.yes and (why := _why_not(ports, run_id, given)):
            write(ports, run_id, EntryKind.APPROVAL, UNCOUNTED, {"why": why})
            raise AskAgain(why)
        record(ports, run_id, Approval(
            _digest(ports, run_id), _answer(given), given.by, ports.clock.now(), given.why,
        ))
    if why := _why_void(ports, run_id):
        raise NotApproved(f"not approved: {why}")


def expect_approved(ports: Ports, run_id: str) -> None:
    """ApprovalRefused, with a finding, if a fault of this run may not begin now."""
    if not why_asked(ports, run_id):
        return
    if why := _why_void(ports, run_id):
        text = f"{why}; trigger a new run and have that approved"
        write_finding(ports, run_id, Finding(UNAPPROVED, Verdict.UNKNOWN, text))
        raise ApprovalRefused(text)


def pending_request(ports: Ports, run_id: str) -> Mapping[str, object] | None:
    """What a person was asked about the run's plan, as long as it has not been answered."""
    told = signed_answer(ports, run_id)
    answered = -1 if told is None else told.index
    for entry in ports.books.read(run_id, EntryKind.APPROVAL):
        is_ours = entry.name == ASKED and entry.data["plan"] == _digest(ports, run_id)
        if is_ours and entry.data["after"] == answered:
            return entry.data
    return None


def signed_answer(ports: Ports, run_id: str) -> Approval | None:
    """What was answered about the run's plan, as it was signed; the books alone prove nothing."""
    records = ports.notary.so_far(run_id)
    return latest_approval(
        records, _digest(ports, run_id), ports.notary.public_key(Role.APPROVER))


def record(ports: Ports, run_id: str, told: Approval) -> None:
    """Sign an answer, then write it into the run's book."""
    run = run_of(ports, run_id)
    ports.notary.append(run_id, Statement(
        APPROVAL,
        {f"{run.suite}.plan.json": told.plan_digest.removeprefix("sha256:")},
        {
            "run_id": run_id, "suite": run.suite, "environment": run.environment,
            "plan_digest": told.plan_digest, "triggered_by": run.triggered_by,
            "answer": told.answer.value, "by": told.by, "why": told.why,
            "approved_by": told.approved_by, "shown": shown(ports, run_id),
        },
    ), may_wait=suite_of(ports, run_id).compliance.may_wait)
    write(ports, run_id, EntryKind.APPROVAL, ANSWER, {
        "plan": told.plan_digest, "answer": told.answer.value, "by": told.by, "why": told.why,
        "approved_by": told.approved_by,
    })


def _answer(given: Given) -> Answer:
    if not given.by:
        return Answer.TIMED_OUT
    return Answer.APPROVED if given.yes else Answer.REFUSED


def _why_not(ports: Ports, run_id: str, given: Given) -> str:
    """Why this yes does not count; nothing if it does."""
    plan = plan_of(ports, run_id)
    digest, needed = str(plan["digest"]), irreversible(plan)
    if why := _spec(ports, run_id).rule.why_not_by(given.by, run_of(ports, run_id).triggered_by):
        return why
    if given.plan != digest:
        return f"{given.by} has approved {given.plan or 'no plan by its digest'}, this is {digest}"
    if needed and {*given.naming.replace(",", " ").split()} != {*needed}:
        return f"who approves what cannot be undone names it: {', '.join(needed)}"
    return ""


def _why_void(ports: Ports, run_id: str) -> str:
    """Why the plan does not count as approved now; nothing if it does.

    Later rounds may begin as long as the whole run may take after that.
    """
    told, spec = signed_answer(ports, run_id), _spec(ports, run_id)
    if told is None:
        return "nobody has approved the plan"
    if told.answer is Answer.TIMED_OUT:
        return f"nobody has answered within {format_duration(spec.wait)}"
    has_begun = any(x.injected_at is not None for x in ports.leases.leases(run_id=run_id))
    worst: Any = plan_of(ports, run_id)["worst_case_ms"]
    valid_for = spec.valid_for + timedelta(milliseconds=worst if has_begun else 0)
    return told.why_void(_digest(ports, run_id), ports.clock.now(), valid_for)


def _spec(ports: Ports, run_id: str) -> ApprovalSpec:
    return suite_of(ports, run_id).approval or ApprovalSpec()


def _digest(ports: Ports, run_id: str) -> str:
    return str(plan_of(ports, run_id)["digest"])


def _impact(ports: Ports, run_id: str) -> int:
    """What is not known counts as the worst."""
    entries = ports.books.read(run_id, EntryKind.IMPACT)
    score = entries[-1].data.get("score") if entries else None
    return score if isinstance(score, int) else 100
