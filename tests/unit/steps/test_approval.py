"""S6: a plan of much impact waits for another person's yes; nothing else lets a fault begin."""

from datetime import timedelta

import pytest

from holdfast.errors import ApprovalRefused, EvidenceError, NotApproved, Postponed
from holdfast.evidence.approval import APPROVAL
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.approval import Answer, Approval
from holdfast.model.record import Statement
from holdfast.model.run import EntryKind, RunState
from holdfast.steps.approval import (
    AskAgain,
    Given,
    answer,
    ask,
    expect_approved,
    pending_request,
    record,
    signed_answer,
    why_asked,
)
from holdfast.steps.book import findings, write
from holdfast.steps.plan import PlanRequest, plan
from holdfast.steps.postpone import wait
from holdfast.steps.reserve import reserve
from holdfast.steps.stops import write_stop
from holdfast.steps.unanswered import PATIENCE, close_unanswered
from support.approvals import digest, irreversible, needs_approval, yes
from support.runs import RUN, lease, planned

MINUTES = 60.0


@pytest.fixture
def ports(tmp_path):
    return needs_approval(tmp_path)


def signed(ports):
    """What the log says about approvals, in order."""
    records = [r for r in ports.notary.records(RUN) if r.predicate_type == APPROVAL]
    told = [statement_of(read(r.envelope)).predicate for r in records]
    return [(t["answer"], t["by"]) for t in told]


def test_a_suite_that_says_nothing_of_it_asks_nobody(tmp_path):
    ports = planned(tmp_path)
    assert (None, None) == (ask(ports, RUN), expect_approved(ports, RUN))


def test_a_plan_of_less_impact_asks_nobody(tmp_path):
    ports = needs_approval(tmp_path, "{from_impact: 100}")
    assert (None, None) == (ask(ports, RUN), expect_approved(ports, RUN))
    assert [] == ports.notifier.told


def test_an_impact_that_is_not_known_counts_as_the_worst(tmp_path):
    ports = needs_approval(tmp_path, "{from_impact: 100}")
    write(ports, RUN, EntryKind.IMPACT, "checkout", {})
    assert "its impact is 100, and must be approved from 100 on" == why_asked(ports, RUN)


def test_the_request_shows_the_plan_and_what_it_puts_at_stake(ports):
    """This digest, impact and why, blast radius, worst case; whoever is told is told once."""
    asked = ask(ports, RUN)
    assert (digest(ports), "May checkout break staging?") == (asked.plan, asked.subject)
    for text in (f"`{digest(ports)}`", "of 100**", "blast radius |", "100 % of api",
                 "Takes at worst | 3 min 45 s", "| 2 | second | kill on api | api-1 | 8.0 s |",
                 "2026-01-01 02:10:00 UTC is a no", "**sre** wants"):
        assert text in asked.body, text
    assert ["approval"] == [n.kind for n in ports.notifier.told]


def test_the_request_names_cost_and_who_may_answer(tmp_path):
    budget = "\nbudget: {most_requests_per_second: 9, per_request: 0, per_fault_minute: 2}"
    asked = ask(needs_approval(tmp_path, "{from_impact: 0, by: [a_b]}" + budget), RUN)
    assert "| Costs at worst | 6.266668 EUR |" in asked.body
    assert r"somebody else than who asked: a\_b." in asked.body


def test_a_request_without_an_impact_is_still_a_request(ports):
    write(ports, RUN, EntryKind.IMPACT, "checkout", {})
    assert "Impact" not in ask(ports, RUN).body


def test_a_yes_of_another_person_is_signed_and_counts(ports):
    yes(ports)
    told = signed_answer(ports, RUN)
    assert (Answer.APPROVED, "lead", digest(ports)) == (told.answer, told.by, told.plan_digest)
    assert ask(ports, RUN) is None
    reserve(ports, RUN)
    kinds = [r.predicate_type.rpartition("/evidence/")[2] for r in ports.notary.records(RUN)]
    assert ["plan/v1", "approval/v1", "run-start/v1"] == kinds


def test_what_was_shown_is_signed_with_the_answer(ports):
    yes(ports)
    (told,) = (r for r in ports.notary.records(RUN) if r.predicate_type == APPROVAL)
    shown = statement_of(read(told.envelope)).predicate["shown"]
    assert {"impact", "blast_radius_permille", "worst_case_ms", "irreversible"} == set(shown)


@pytest.mark.parametrize(("changes", "why"), [
    pytest.param({"by": "SRE"}, "SRE has triggered the run", id="four-eyes"),
    pytest.param({"by": "  "}, "nobody has put their name to it", id="nobody"),
    pytest.param({"plan": "sha256:0"}, "lead has approved sha256:0, this is sha256:", id="another"),
    pytest.param({"plan": ""}, "lead has approved no plan by its digest", id="unnamed"),
])
def test_a_yes_that_does_not_count_is_not_signed_and_asked_for_again(ports, changes, why):
    with pytest.raises(AskAgain, match=why):
        yes(ports, **changes)
    assert [] == signed(ports)
    assert pending_request(ports, RUN) is not None


def test_who_approves_what_cannot_be_undone_names_it(tmp_path):
    """DESIGN 3: irreversible faults always ask a person who names them."""
    ports = needs_approval(tmp_path, "{from_impact: 100}", drivers=irreversible())
    assert ("second",) == ask(ports, RUN).irreversible
    for naming in ("", "first"):
        with pytest.raises(AskAgain, match="names it: second"):
            yes(ports, naming=naming)
    yes(ports, naming=" second ")
    assert [("approved", "lead")] == signed(ports)


@pytest.mark.parametrize(("given", "reason", "answered"), [
    (Given(False, "sre", why="a mistake"), "not approved: refused by sre: a mistake",
     ("refused", "sre")),
    (Given(False), "not approved: nobody has answered within 600s", ("timed_out", "")),
])
def test_a_no_and_no_answer_postpone_the_run(ports, given, reason, answered):
    """DESIGN 4: it ends without a fault, and is no failure."""
    ask(ports, RUN)
    with pytest.raises(Postponed, match=reason):
        answer(ports, RUN, given)
    assert [answered] == signed(ports)
    with pytest.raises(Postponed, match=reason.removeprefix("not approved: ")):
        reserve(ports, RUN)
    assert "" == ports.leases.environment("staging").locked_by


def test_a_run_that_was_not_approved_does_not_try_again(tmp_path):
    """retry_for is for what passes by itself."""
    ports = needs_approval(tmp_path, "{from_impact: 0}\nretry_for: 2h")
    ask(ports, RUN)
    with pytest.raises(NotApproved) as refused:
        answer(ports, RUN, Given(False, "cto"))
    assert wait(ports, RUN, refused.value) is None


def test_an_answer_that_arrives_twice_is_signed_once(ports):
    yes(ports)
    answer(ports, RUN, Given(True, "lead", digest(ports)))
    assert [("approved", "lead")] == signed(ports)


def test_a_yes_after_the_no_changes_nothing(ports):
    ask(ports, RUN)
    for given in (Given(False, "cto"), Given(True, "lead", digest(ports))):
        with pytest.raises(Postponed, match="refused by cto"):
            answer(ports, RUN, given)
    assert [("refused", "cto")] == signed(ports)


def test_asked_again_the_wait_goes_on_and_does_not_begin_anew(ports):
    until = ask(ports, RUN).until
    ports.clock.passed += 5 * MINUTES
    assert until == ask(ports, RUN).until


def test_a_run_that_begins_again_after_a_no_is_asked_about_again(ports):
    """retry_for: what was busy then may be free now."""
    ask(ports, RUN)
    with pytest.raises(Postponed):
        answer(ports, RUN, Given(False, "cto"))
    ports.clock.passed += 5 * MINUTES
    assert ports.clock.now() + timedelta(minutes=10) == ask(ports, RUN).until
    yes(ports)
    assert [("refused", "cto"), ("approved", "lead")] == signed(ports)


def test_an_approval_of_another_plan_does_not_count(ports, tmp_path):
    """E_APPROVAL_NOT_FOR_THIS_PLAN: the plan was made again, with a choice."""
    yes(ports)
    plan(ports, PlanRequest(RUN, tmp_path / "checkout.suite.yaml", ("first",), False, "sre"))
    with pytest.raises(ApprovalRefused, match="nobody has approved the plan"):
        expect_approved(ports, RUN)


def test_an_approval_is_too_old_for_the_first_fault(ports):
    yes(ports)
    ports.clock.passed += 21 * MINUTES
    with pytest.raises(ApprovalRefused, match="is 21 minutes old, 20 are allowed"):
        expect_approved(ports, RUN)
    assert "approval" in [f.name for f in findings(ports, RUN)]


def test_later_faults_may_begin_as_long_as_the_run_may_take(ports):
    yes(ports)
    ports.leases.rows["lease-first"] = lease(injected_at=1.0)
    ports.clock.passed += 21 * MINUTES
    expect_approved(ports, RUN)
    ports.clock.passed += 3 * MINUTES
    with pytest.raises(ApprovalRefused):
        expect_approved(ports, RUN)


def test_a_yes_that_came_when_the_time_was_over_is_none(ports):
    """S6: no answer in time is a no, also where Airflow's triggerer was not there to say so."""
    asked = ask(ports, RUN)
    late = asked.until + timedelta(seconds=1)
    ports.clock.passed += 20 * MINUTES
    with pytest.raises(NotApproved, match="nobody has answered within 600s"):
        answer(ports, RUN, Given(True, "lead", digest(ports), at=late))
    assert [("timed_out", "")] == signed(ports)


def test_a_yes_that_came_in_time_counts_though_it_is_read_late(ports):
    asked = ask(ports, RUN)
    ports.clock.passed += 20 * MINUTES
    answer(ports, RUN, Given(True, "lead", digest(ports), at=asked.until - timedelta(seconds=1)))
    assert [("approved", "lead")] == signed(ports)


def test_a_yes_without_a_time_is_of_now(ports):
    ask(ports, RUN)
    ports.clock.passed += 20 * MINUTES
    with pytest.raises(NotApproved, match="nobody has answered"):
        answer(ports, RUN, Given(True, "lead", digest(ports)))


def test_a_row_in_the_books_approves_nothing(ports):
    """Only what was signed counts."""
    ask(ports, RUN)
    told = {"plan": digest(ports), "answer": "approved", "by": "lead", "why": "", "approved_by": ""}
    write(ports, RUN, EntryKind.APPROVAL, "answer", told)
    with pytest.raises(ApprovalRefused):
        expect_approved(ports, RUN)


def test_an_answer_signed_with_another_key_is_no_answer(ports, tmp_path):
    """E_UNTRUSTED_SIGNER, before the fault and not only at the audit."""
    yes(ports)
    (ports.settings.keys / "approver.pem").unlink()
    from holdfast.evidence.keys import new_key
    from holdfast.stores._files import write_durably

    write_durably(ports.settings.keys / "approver.pem", new_key(), 0o600)
    with pytest.raises(EvidenceError, match="the approval was not signed here"):
        expect_approved(ports, RUN)


def test_what_is_no_answer_is_told_as_such(ports):
    ports.notary.append(RUN, Statement(APPROVAL, {}, {"answer": "perhaps"}))
    with pytest.raises(EvidenceError, match="not an approval"):
        signed_answer(ports, RUN)


def test_a_request_that_airflow_never_came_back_to_ends_as_a_no(ports):
    """The run was marked failed by hand, or Airflow is gone: time-out means no."""
    until = ask(ports, RUN).until
    close_unanswered(ports)
    ports.clock.passed = (until + PATIENCE - ports.clock.now()).total_seconds() + 1
    close_unanswered(ports)
    run = ports.books.run(RUN)
    assert (RunState.POSTPONED, "not approved: nobody has answered within 600s") == (
        run.state, run.reason)
    assert [("timed_out", "")] == signed(ports)


def test_a_run_that_is_stopped_while_it_waits_ends(ports):
    ask(ports, RUN)
    write_stop(ports.settings.stops, "sre", "enough", ports.clock.now().isoformat(), RUN)
    close_unanswered(ports)
    run = ports.books.run(RUN)
    assert (RunState.POSTPONED, "stopped by sre: enough") == (run.state, run.reason)


def test_a_run_that_was_approved_waits_no_more(ports):
    yes(ports)
    ports.clock.passed += 60 * MINUTES
    close_unanswered(ports)
    assert RunState.STARTED is ports.books.run(RUN).state


@pytest.mark.parametrize(("broken", "told"), [
    ("notary.records", f"run {RUN} cannot be looked after"), ("books.going", "cannot be found"),
])
def test_stores_that_cannot_be_read_do_not_keep_the_janitor_from_its_work(
    ports, monkeypatch, caplog, broken, told
):
    ask(ports, RUN)
    port, call = broken.split(".")
    monkeypatch.setattr(getattr(ports, port), call, _broken)
    close_unanswered(ports)
    assert told in caplog.text


def _broken(*_which):
    raise EvidenceError("disk full")


def test_a_plan_that_only_who_triggered_may_approve_is_postponed_at_once(tmp_path):
    """S6: nobody could ever say yes."""
    ports = needs_approval(tmp_path, "{from_impact: 0, by: [sre]}")
    with pytest.raises(Postponed, match="nobody but sre may approve it, who has triggered it"):
        ask(ports, RUN)


def test_an_answer_that_cannot_be_signed_is_no_answer(ports):
    """E1: not in the log, not approved."""
    taken = Approval(digest(ports), Answer.APPROVED, "lead", ports.clock.now())
    (ports.settings.keys / "runner.pem").chmod(0o644)
    with pytest.raises(EvidenceError):
        record(ports, RUN, taken)
    assert [] == ports.books.read(RUN, EntryKind.APPROVAL)
