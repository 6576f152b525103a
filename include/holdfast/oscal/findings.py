"""What a run says of controls: a finding for each control and service, and a risk for each failure.

The wording never goes beyond "supports evidence for": whether a control is met, people judge.
"""

from collections.abc import Iterator, Mapping

from holdfast.model.control import State, Strength
from holdfast.model.verdict import Verdict
from holdfast.oscal.log import Basis
from holdfast.oscal.observations import SAID
from holdfast.oscal.runs import Signed
from holdfast.oscal.told import ResultTold
from holdfast.oscal.units import Shown, Unit, observation_uid, risk_uid, shown_by, units_of
from holdfast.oscal.words import Json, control_id, line, plain, props, some, uid

Closed = Mapping[str, Json]
"""Risks that a later run has shown to be gone, by their UUID: the entry for their log."""


def findings(result: Signed[ResultTold], basis: Basis) -> Iterator[Json]:
    """Write down what a result says of each control at each service."""
    for shown in shown_by(result.told, basis):
        yield _finding(result, shown)


def risks(result: Signed[ResultTold], basis: Basis, closed: Closed) -> Iterator[Json]:
    """Write down a risk for each experiment that did not hold, and for the whole run."""
    for unit in units_of(result.told, basis):
        if unit.verdict is Verdict.BROKEN:
            yield _risk(result, unit, closed)


def _finding(result: Signed[ResultTold], shown: Shown) -> Json:
    told, control = result.told, shown.control
    broken = [unit for unit in shown.units if unit.verdict is Verdict.BROKEN]
    return {
        "uuid": uid("finding", result.log, result.index, shown.service, control.name),
        "title": plain(f"{control.name} on {shown.service}: {shown.verdict.name}"),
        "description": plain(f"Run {told.run_id} of suite {told.suite} tested {shown.service} in "
                             f"{told.environment}. {SAID[shown.verdict]} {_meaning(shown)}"),
        "props": props(
            control=control.name, service=shown.service, verdict=shown.verdict.name,
            state=_state(shown).value, strength=control.strength.value, log_index=result.index,
        ),
        "target": _target(shown),
        **some(
            related_observations=[
                {"observation-uuid": one} for unit in shown.units
                for one in _seen(result, unit)
            ],
            related_risks=[
                {"risk-uuid": risk_uid(result, unit)} for unit in broken
            ],
        ),
    }


def _target(shown: Shown) -> Json:
    """OSCAL's "satisfied" means completely: what shows a part of a control is not that."""
    state, reason = _STATUS[_state(shown)]
    return {
        "type": "objective-id", "target-id": control_id(shown.control.name),
        "title": plain(shown.control.title),
        "status": {"state": state, "reason": reason, "remarks": plain(_meaning(shown))},
    }


_STATUS = {
    State.EVIDENCED: ("satisfied", "pass"),
    State.PARTIAL: ("not-satisfied", "other"),
    State.NO_EVIDENCE: ("not-satisfied", "other"),
    State.FAILING: ("not-satisfied", "fail"),
}


def _state(shown: Shown) -> State:
    if shown.verdict is Verdict.BROKEN:
        return State.FAILING
    if shown.verdict is Verdict.UNKNOWN:
        return State.NO_EVIDENCE
    return State.EVIDENCED if shown.control.strength is Strength.DIRECT else State.PARTIAL


def _meaning(shown: Shown) -> str:
    control = shown.control
    return {
        State.EVIDENCED: f"This supports evidence for {control.name}.",
        State.PARTIAL: f"This supports evidence for a part of {control.name} only. The whole "
                       f"must show: {control.must_show}.",
        State.NO_EVIDENCE: f"This supports no evidence for {control.name}.",
        State.FAILING: f"This supports no evidence for {control.name}: it shows a failure.",
    }[_state(shown)]


def _risk(result: Signed[ResultTold], unit: Unit, closed: Closed) -> Json:
    told, name = result.told, risk_uid(result, unit)
    texts = [line(c.text) for c in unit.checks if c.verdict is Verdict.BROKEN and line(c.text)]
    where = f"suite {told.suite} in {told.environment}"
    log = {"risk-log": {"entries": [closed[name]]}} if name in closed else {}
    return {
        "uuid": name,
        "title": plain(f"{unit.title} did not hold: {where}"),
        "description": plain("; ".join(texts)) or SAID[Verdict.BROKEN],
        "statement": "What has failed under test may fail the same way without one.",
        "props": props(run_id=told.run_id, experiment=unit.name, log_index=result.index),
        "status": "closed" if name in closed else "open",
        **log,
        "related-observations": [
            {"observation-uuid": one} for one in _seen(result, unit)
        ],
    }


def _seen(result: Signed[ResultTold], unit: Unit) -> Iterator[str]:
    """What was seen of a unit: itself, and each of its checks that did not hold."""
    yield observation_uid(result, unit)
    for check in unit.checks:
        yield observation_uid(result, unit, check.name)
