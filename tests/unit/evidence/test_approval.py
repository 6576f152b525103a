"""E1, S6: whoever checks the records sees whether a run was approved as it had to be."""

import pytest

from holdfast.evidence.roles import APPROVAL
from holdfast.evidence.trouble import Injection
from holdfast.model.approval_spec import ApprovalSpec
from support.evidence import PLAN, RESULT, RUN, START, Log

DIGEST = f"sha256:{RUN}"
HELD = [{"name": "first", "effect": "held"}]
NEVER = [{"name": "wipe", "effect": "irreversible"}]


def plan(log, spec=None, impact=60, experiments=HELD, **more):
    told = ApprovalSpec(**(spec or {})).model_dump(mode="json")
    log.add(PLAN, approval=told, impact={"score": impact}, experiments=experiments, **more)


def said(log, answer="approved", **changes):
    told = {"answer": answer, "by": "lead", "why": "", "approved_by": ""} | changes
    log.add(APPROVAL, **told)


def run(log, at=1.0):
    """Start, and a fault so many seconds later."""
    log.add(START, triggered_by="sre")
    log.clock.passed += at
    log.injected = [Injection("lease-1", _boot(), round(log.clock.boottime() * 1000))]
    return log


def codes(log):
    log.add(RESULT)
    return [t.code for t in log.check().troubles]


def _boot():
    from holdfast.clients.host import boot_id

    return boot_id()


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


def test_an_approved_run_has_no_trouble(log):
    plan(log)
    said(log)
    assert [] == codes(run(log))


def test_a_plan_of_less_impact_needs_no_approval(log):
    plan(log, impact=49)
    assert [] == codes(run(log))


def test_what_is_wrong_is_told_in_words_an_auditor_can_quote(log):
    plan(log)
    run(log).add(RESULT)
    (trouble,) = log.check().troubles
    assert (
        "E_APPROVAL_MISSING_OR_LATE record 2: the run began without being approved (expected an "
        "approval before it, as its impact is 60, and must be approved from 50 on, found none)"
    ) == str(trouble)


@pytest.mark.parametrize("impact", [{}, {"impact": "much"}, {"impact": {"score": "9"}}])
def test_an_impact_that_is_not_known_counts_as_the_worst(log, impact):
    log.add(PLAN, approval=ApprovalSpec(from_impact=100).model_dump(mode="json"), **impact)
    assert ["E_APPROVAL_MISSING_OR_LATE"] == codes(run(log))


def test_what_cannot_be_undone_always_needs_one(log):
    plan(log, {"from_impact": 100}, experiments=NEVER)
    assert ["E_APPROVAL_MISSING_OR_LATE"] == codes(run(log))


def test_a_list_of_experiments_that_is_none_names_none(log):
    plan(log, {"from_impact": 100}, experiments="wipe")
    assert [] == codes(run(log))


def test_an_approval_after_the_start_is_late(log):
    plan(log)
    run(log)
    said(log)
    assert ["E_APPROVAL_MISSING_OR_LATE"] == codes(log)


@pytest.mark.parametrize("answer", ["refused", "timed_out"])
def test_a_no_is_no_approval(log, answer):
    plan(log)
    said(log, answer)
    assert ["E_APPROVAL_MISSING_OR_LATE"] == codes(run(log))


def test_the_last_answer_before_the_start_counts(log):
    plan(log)
    said(log, "refused")
    said(log)
    assert [] == codes(run(log))


def test_an_approval_of_another_plan_is_found(log):
    """Tamper case 18: the plan was made again after it was approved."""
    plan(log)
    said(log)
    plan(log)
    assert ["E_APPROVAL_MISSING_OR_LATE"] == codes(run(log))
    said(log, plan_digest="sha256:other")
    assert "E_APPROVAL_NOT_FOR_THIS_PLAN" in codes(log)


def test_an_approval_by_who_triggered_is_found(log):
    plan(log, {"by": ["sre", "lead"]})
    said(log, by="Sre")
    assert ["E_SELF_APPROVAL"] == codes(run(log))


@pytest.mark.parametrize(("by", "person"), [(["lead"], "guest"), ([], " ")])
def test_an_approval_by_nobody_who_may_is_found(log, by, person):
    plan(log, {"by": by})
    said(log, by=person)
    assert ["E_APPROVER_IDENTITY"] == codes(run(log))


@pytest.mark.parametrize(("worst", "at", "found"), [
    ({}, 3599, []), ({}, 3700, ["E_APPROVAL_EXPIRED"]), ({"worst_case_ms": 120_000}, 3700, []),
])
def test_an_approval_that_had_become_too_old_is_found(log, worst, at, found):
    """It counts when the fault is armed, which begins within the worst case."""
    plan(log, **worst)
    said(log)
    assert found == codes(run(log, at))


def test_ages_on_clocks_of_different_boots_are_not_compared(log):
    plan(log)
    said(log)
    run(log, 3700).injected = [Injection("lease-1", "another boot", 9_000_000)]
    assert [] == codes(log)


def test_a_fault_that_began_after_the_approval_was_withdrawn_is_found(log):
    plan(log)
    said(log)
    run(log)
    said(log, "withdrawn", approved_by="lead")
    before = log.check().troubles
    log.injected.append(Injection("lease-2", _boot(), round(log.clock.boottime() * 1000) + 1))
    assert ["E_APPROVAL_WITHDRAWN"] == codes(log)
    assert ["E_NO_RESULT"] == [t.code for t in before]


@pytest.mark.parametrize("spec", ["text", None, {"from_impact": 400}])
def test_terms_that_cannot_be_read_are_found(log, spec):
    log.add(PLAN, approval=spec, impact={"score": 60})
    assert ["E_APPROVAL_MALFORMED"] == codes(run(log))


@pytest.mark.parametrize("answer", [{"answer": "perhaps"}, {"by": "lead"}])
def test_an_answer_that_cannot_be_read_is_found(log, answer):
    plan(log)
    log.add(APPROVAL, **answer)
    assert ["E_APPROVAL_MALFORMED"] == codes(run(log))


@pytest.mark.parametrize("answer", ["approved", "withdrawn"])
def test_an_answer_without_its_place_in_the_log_is_no_approval(log, answer):
    plan(log)
    said(log, answer)
    key = (log.keys / "approver.pem").read_bytes()
    log.edit(2, lambda told: told.update(log={"run_id": RUN}), key)
    assert {"E_NO_PLACE", "E_APPROVAL_MALFORMED"} <= {*codes(run(log))}
