"""A rollout goes on while it holds, and tells the last safe step (S8)."""

import pytest

from holdfast.errors import SpecError
from holdfast.model.lease import Reason
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import findings, suite_of, write_finding
from holdfast.steps.rollout import tell_rollouts
from holdfast.steps.steady import RoundLeftOut, steady
from support.ports import Ports
from support.runs import RUN, lease, planned

GROW = ("""\
        fault: {type: kill, target: api, duration: 8s}
        expect: {recovery_within: 30s}
""", """\
        fault: {type: latency, target: link, duration: 8s}
        rollout: {steps: [{params: {latency: 50ms}}, {params: {latency: 100ms}}, {target: link}]}
""")
GO_ON = ("compliance:", "after_abort: continue\ncompliance:")


def ran(home, *verdicts: Verdict) -> Ports:
    """A run whose first steps ended like this."""
    ports = planned(home, GROW, GO_ON)
    for number, verdict in enumerate(verdicts, 1):
        write_finding(ports, RUN, Finding("fault", verdict, "so it was", f"second-{number}"))
    return ports


def rollouts(ports: Ports) -> list[Finding]:
    tell_rollouts(ports, RUN, suite_of(ports, RUN))
    return [f for f in findings(ports, RUN) if f.name == "rollout"]


def test_the_next_step_begins_when_the_one_before_held(tmp_path):
    steady(ran(tmp_path, Verdict.HELD), RUN, 2)


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.UNKNOWN])
def test_it_does_not_begin_otherwise_even_if_the_suite_goes_on_after_aborts(tmp_path, verdict):
    ports = ran(tmp_path, Verdict.HELD, verdict)
    row = lease("second-2", 2, Reason.BREACH)
    ports.leases.rows[row.id] = row
    told = f"second-3 begins only if second-2 held: it is {verdict.name}"
    with pytest.raises(RoundLeftOut, match=told):
        steady(ports, RUN, 3)


@pytest.mark.parametrize(("verdicts", "where", "verdict", "text"), [
    pytest.param(
        [Verdict.HELD, Verdict.BROKEN], "second-2", Verdict.BROKEN,
        "the rollout ended at second-2 (latency=100ms, on link), step 2 of 3; "
        "the last safe step is second-1 (latency=50ms, on link)", id="a-breach"),
    pytest.param(
        [Verdict.BROKEN], "second-1", Verdict.BROKEN,
        "the rollout ended at second-1 (latency=50ms, on link), step 1 of 3; no step was safe",
        id="at-once"),
    pytest.param(
        [Verdict.HELD, Verdict.HELD], "second-3", Verdict.UNKNOWN,
        "the rollout was ended before second-3 (on link), step 3 of 3; "
        "the last safe step is second-2 (latency=100ms, on link)", id="never-got-there"),
    pytest.param(
        [Verdict.HELD] * 3, "second-3", Verdict.HELD,
        "all 3 steps held; the last safe step is second-3 (on link)", id="all-held"),
])
def test_the_last_safe_step_is_told(tmp_path, verdicts, where, verdict, text):
    (found,) = rollouts(ran(tmp_path, *verdicts))
    assert (where, verdict, text) == (found.experiment, found.verdict, found.text)


def test_a_rollout_that_never_began_tells_nothing(tmp_path):
    assert [] == rollouts(ran(tmp_path))


def test_telling_it_twice_changes_nothing(tmp_path):
    ports = ran(tmp_path, Verdict.HELD, Verdict.BROKEN)
    assert rollouts(ports) == rollouts(ports)


def test_a_step_is_not_chosen_without_those_before_it(tmp_path):
    with pytest.raises(SpecError, match="'second-2' follows 'second-1', which is left out"):
        planned(tmp_path, GROW, request={"only": ("second-2",)})
    planned(tmp_path, GROW, request={"only": ("second-1", "second-2")})
