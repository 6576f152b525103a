"""The worst finding wins, and what was never tried is unknown."""

import pytest

from holdfast.model.lease import LeaseState
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import write_finding
from holdfast.steps.judge import judge, verdicts
from support.after import ended, put_lease
from support.runs import RUN, lease, planned

HELD, UNKNOWN, BROKEN = Verdict.HELD, Verdict.UNKNOWN, Verdict.BROKEN


def _of(*found, leases=()):
    findings = [Finding(name, verdict, "", "e") for name, verdict in found]
    return verdicts(findings, ["e"], leases)["e"]


@pytest.mark.parametrize(("found", "verdict"), [
    pytest.param([("fault", HELD), ("recovery", HELD)], HELD, id="all-held"),
    pytest.param([("fault", HELD), ("recovery", UNKNOWN)], UNKNOWN, id="doubt-wins-over-held"),
    pytest.param([("fault", UNKNOWN), ("recovery", BROKEN)], BROKEN, id="broken-wins-over-doubt"),
    pytest.param([("recovery", HELD)], UNKNOWN, id="no-fault-proves-nothing"),
    pytest.param([], UNKNOWN, id="never-tried"),
])
def test_the_worst_finding_wins(found, verdict):
    assert verdict is _of(*found)


@pytest.mark.parametrize("state", sorted(set(LeaseState) - {LeaseState.CLEAN}))
def test_a_fault_that_may_still_be_there_is_broken(state):
    assert BROKEN is _of(("fault", HELD), leases=[lease("e", state=state)])


def test_a_run_whose_experiments_all_held_is_held(tmp_path):
    assert HELD is judge(ended(tmp_path), RUN)


def test_a_finding_about_the_run_counts(tmp_path):
    ports = ended(tmp_path)
    write_finding(ports, RUN, Finding("lost_writes", BROKEN, ""))
    assert BROKEN is judge(ports, RUN)


def test_what_a_person_left_out_does_not_count(tmp_path):
    ports = planned(tmp_path, request={"only": ("second",)})
    write_finding(ports, RUN, Finding("fault", HELD, "", "second"))
    assert HELD is judge(ports, RUN)


def test_a_run_with_nothing_found_is_unknown(tmp_path):
    assert UNKNOWN is judge(planned(tmp_path), RUN)


def test_a_lease_that_is_not_clean_breaks_the_run(tmp_path):
    ports = ended(tmp_path)
    put_lease(ports, "first", state=LeaseState.UNCLEAN)
    assert BROKEN is judge(ports, RUN)
