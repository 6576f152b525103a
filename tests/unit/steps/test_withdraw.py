"""S6: an approval is taken back while the fault is on, by the ways of a stop."""

import pytest

from holdfast.errors import (
    ApprovalRefused,
    EvidenceError,
    HoldfastError,
    Postponed,
    SpecError,
    Stopped,
)
from holdfast.model.approval import Answer
from holdfast.model.lease import LeaseState, Reason
from holdfast.model.run import EntryKind, RunState
from holdfast.model.verdict import Verdict
from holdfast.steps.approval import Given, answer, ask, signed_answer
from holdfast.steps.book import note_stop
from holdfast.steps.conclude import ending
from holdfast.steps.live import look
from holdfast.steps.reserve import reserve
from holdfast.steps.verdict import close
from holdfast.steps.withdraw import withdraw
from support.approvals import needs_approval, yes
from support.runs import RUN, lease


@pytest.fixture
def ports(tmp_path):
    return needs_approval(tmp_path)


@pytest.fixture
def on(ports):
    """The run is approved, and its first fault is on."""
    yes(ports)
    reserve(ports, RUN)
    ports.leases.rows["lease-first"] = lease(state=LeaseState.ACTIVE, injected_at=1.0)
    return ports


def test_the_fault_ends_and_who_took_it_back_is_signed(on):
    withdraw(on, RUN, "lead", "customers complain")
    revoked = on.leases.read("lease-first").revoked
    assert (Reason.WITHDRAWN, "lead", "approval withdrawn: customers complain") == (
        revoked.reason, revoked.by, revoked.text)
    told = signed_answer(on, RUN)
    assert (Answer.WITHDRAWN, "lead", "lead", "customers complain") == (
        told.answer, told.by, told.approved_by, told.why)


def test_nothing_more_of_the_run_begins(on):
    withdraw(on, RUN, "lead", "enough")
    assert "approval withdrawn: enough" in note_stop(on, RUN)


def test_a_run_withdrawn_before_it_took_its_environment_never_does(ports):
    yes(ports)
    withdraw(ports, RUN, "lead", "enough")
    with pytest.raises(Stopped, match="approval withdrawn: enough"):
        reserve(ports, RUN)
    ports.settings.stops.unlink()  # as on another machine, where the run's book tells of it
    with pytest.raises(Stopped, match="stopped by lead: approval withdrawn: enough"):
        reserve(ports, RUN)


def test_the_run_ends_as_refused_by_its_approval(on):
    """DESIGN 7: ApprovalRefused, exit code 4, verdict UNKNOWN."""
    withdraw(on, RUN, "lead", "enough")
    with pytest.raises(ApprovalRefused, match="approval withdrawn: enough") as refused:
        close(on, RUN, lambda p, i: p.leases._put(p.leases.read(i), state=LeaseState.CLEAN))
    assert (4, Verdict.UNKNOWN) == (refused.value.exit_code, on.books.run(RUN).verdict)


def test_the_watching_task_says_why_the_fault_ended(on):
    withdraw(on, RUN, "lead", "enough")
    end = ending(on.leases.read("lease-first"), Reason.WITHDRAWN)
    assert (Verdict.UNKNOWN, ApprovalRefused) == (end.verdict, type(end.error))


def test_the_page_tells_both_names(on):
    withdraw(on, RUN, "cto", "enough")
    assert look(on, RUN).answered.startswith(
        "withdrawn by cto, had been approved by lead, 2026-01-01 02:00")


def test_the_fault_ends_though_it_cannot_be_signed_and_again_it_is(on, monkeypatch):
    def full(*_, **__):
        raise EvidenceError("disk full")

    monkeypatch.setattr(on.notary, "append", full)
    with pytest.raises(EvidenceError, match=r"stopped \(lease lease-first [a-z]+\).*disk full"):
        withdraw(on, RUN, "lead", "enough")
    monkeypatch.undo()
    assert Reason.WITHDRAWN is on.leases.read("lease-first").revoked.reason
    assert Answer.APPROVED is signed_answer(on, RUN).answer
    assert "approval withdrawn: enough" in note_stop(on, RUN)
    withdraw(on, RUN, "lead", "enough")
    assert Answer.WITHDRAWN is signed_answer(on, RUN).answer


def test_taken_back_twice_is_signed_once(on):
    for _ in range(2):
        withdraw(on, RUN, "lead", "enough")
    assert 1 == sum(b"approval" in r.predicate_type.encode() for r in on.notary.records(RUN)) - 1


def test_the_fault_ends_though_the_books_do_not_answer(on, monkeypatch):
    monkeypatch.setattr(on.notary, "records", _silent)
    with pytest.raises(HoldfastError, match="nothing is signed"):
        withdraw(on, RUN, "lead", "enough")
    assert Reason.WITHDRAWN is on.leases.read("lease-first").revoked.reason


def _silent(_run_id=None):
    raise HoldfastError("books.db cannot be read")


def test_what_is_not_approved_cannot_be_taken_back(ports):
    ask(ports, RUN)
    with pytest.raises(SpecError, match=r"is not approved .holdfast stop"):
        withdraw(ports, RUN, "lead", "enough")
    with pytest.raises(Postponed):
        answer(ports, RUN, Given(False, "cto"))
    with pytest.raises(SpecError, match="was refused by cto"):
        withdraw(ports, RUN, "lead", "enough")


def test_a_run_that_has_ended_has_nothing_to_take_back(on):
    from dataclasses import replace

    on.books.close_run(replace(on.books.run(RUN), state=RunState.ENDED))
    with pytest.raises(SpecError, match="is ended: there is nothing to take back"):
        withdraw(on, RUN, "lead", "enough")


def test_a_run_that_is_not_known_is_an_error(ports):
    with pytest.raises(SpecError, match="there is no run 'x'"):
        withdraw(ports, "x", "lead", "enough")


def test_the_book_keeps_the_answers_in_order(on):
    withdraw(on, RUN, "lead", "enough")
    told = [e.data["answer"] for e in on.books.read(RUN, EntryKind.APPROVAL) if e.name == "answer"]
    assert ["withdrawn"] == told
