"""S6: who must be asked, whose yes counts, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.model.approval import Answer, Approval, Rule
from holdfast.model.approval_spec import ApprovalSpec

AT = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("impact", "irreversible", "asked"), [
    (49, [], False), (50, [], True), (100, [], True), (0, ["wipe"], True),
])
def test_much_impact_must_be_approved_and_what_cannot_be_undone_always(
    impact, irreversible, asked
):
    assert asked == bool(ApprovalSpec().rule.why_asked(impact, irreversible))


@pytest.mark.parametrize(("by", "person", "counts"), [
    pytest.param((), "lead", True, id="anybody"),
    pytest.param((), "sre", False, id="four-eyes"),
    pytest.param((), " SRE ", False, id="four-eyes-however-it-is-written"),
    pytest.param(("sre", "lead"), "sre", False, id="four-eyes-even-if-named"),
    pytest.param(("lead",), "Lead", True, id="named"),
    pytest.param(("lead",), "guest", False, id="not-named"),
    pytest.param((), "  ", False, id="nobody"),
    pytest.param((), "\u200b", False, id="nobody-that-is-seen"),
    pytest.param((), "s\u200bre", False, id="four-eyes-with-a-blank-of-no-width"),
    pytest.param((), "\uff53\uff52\uff45", False, id="four-eyes-in-wide-letters"),
])
def test_whose_yes_counts(by, person, counts):
    assert counts == (ApprovalSpec(by=by).rule.why_not_by(person, "sre") == "")


@pytest.mark.parametrize(("changes", "digest", "age", "text"), [
    pytest.param({}, "d", HOUR, "", id="counts"),
    pytest.param({}, "e", HOUR, "lead has approved another plan", id="another-plan"),
    pytest.param({}, "d", 2 * HOUR,
                 "the approval by lead is 120 minutes old, 60 are allowed", id="too-old"),
    pytest.param({"answer": Answer.REFUSED, "why": "not today"}, "d", HOUR,
                 "refused by lead: not today", id="refused"),
    pytest.param({"answer": Answer.TIMED_OUT, "by": ""}, "d", HOUR, "timed out", id="no-answer"),
    pytest.param({"answer": Answer.WITHDRAWN}, "d", HOUR, "withdrawn by lead", id="withdrawn"),
])
def test_when_an_approval_counts(changes, digest, age, text):
    told = Approval(**{"plan_digest": "d", "answer": Answer.APPROVED, "by": "lead", "at": AT}
                    | changes)
    assert text == told.why_void(digest, AT + age, HOUR)


def test_an_approval_of_a_time_to_come_counts_for_nothing():
    """S6: a clock that was set back would make it valid for longer."""
    told = Approval("d", Answer.APPROVED, "lead", AT)
    assert "" == told.why_void("d", AT - timedelta(minutes=4), HOUR)
    assert "a clock went back" in told.why_void("d", AT - timedelta(minutes=6), HOUR)


def test_a_rule_reads_back_as_plans_sign_it():
    spec = ApprovalSpec(from_impact=7, by=("ana",), valid_for="1500ms")
    assert spec.rule == Rule.read(spec.model_dump(mode="json"))


@pytest.mark.parametrize("change", [
    {"from_impact": "7"}, {"from_impact": True}, {"by": "ana"}, {"valid_for": "soon"}])
def test_what_is_no_rule_is_told(change):
    with pytest.raises(ValueError, match="not a rule of approval"):
        Rule.read(ApprovalSpec().model_dump(mode="json") | change)
