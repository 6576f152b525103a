"""What a plan puts at stake, as a whole and by experiment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from holdfast.model.suite import Suite
from holdfast.plan.plan import Plan, PlannedExperiment, blast_radius
from holdfast.safety.impact import Exposure, Impact, Setting, impact

WHOLE = ""
"""Stands for the plan as a whole among the names of its experiments."""


def impacts(plan: Plan, suite: Suite, now: datetime) -> Mapping[str, Impact]:
    """Score the plan as a whole (`WHOLE`) and each experiment, were the run to begin now.

    The whole is never less than any of its experiments.
    """
    at = now.astimezone(ZoneInfo(suite.time_zone))
    setting = Setting(plan.environment, at, is_agreed=bool(suite.windows.allowed))
    found = {WHOLE: impact(_whole(plan), setting)}
    return found | {e.name: impact(_alone(e), setting) for e in plan.experiments}


def as_json(found: Mapping[str, Impact]) -> dict[str, object]:
    """The whole with its parts; of each experiment too."""
    experiments = {name: one.as_json() for name, one in found.items() if name != WHOLE}
    return found[WHOLE].as_json() | {"experiments": experiments}


def text(found: Mapping[str, Impact]) -> str:
    """Tell people: the whole with the reason for its points, then each experiment's sum."""
    whole = found[WHOLE]
    lines = [f"impact {whole.score} of 100 ({whole.level})"]
    lines += [f"  {p.points:3} of {p.weight:2}  {p.name}: {p.text}" for p in whole.parts]
    for name, one in found.items():
        if name != WHOLE:
            lines += [f"  {one.score:3}        {name} alone ({one.level})"]
    return "\n".join(lines)


def _whole(plan: Plan) -> Exposure:
    """Faults of a round are on side by side, rounds one after the other."""
    rounds = groupby(plan.experiments, key=lambda e: e.round)
    longest = (max(e.wait + e.worst_case for e in experiments) for _, experiments in rounds)
    return Exposure(
        frozenset(e.fault.type for e in plan.experiments),
        frozenset(e.effect for e in plan.experiments),
        plan.blast_radius, sum(longest, timedelta(0)),
    )


def _alone(experiment: PlannedExperiment) -> Exposure:
    return Exposure(
        frozenset({experiment.fault.type}), frozenset({experiment.effect}),
        blast_radius([experiment]), experiment.worst_case,
    )
