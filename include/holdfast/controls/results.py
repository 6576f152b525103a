"""What signed results say for controls, service by service. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast.model.control import Result
from holdfast.model.verdict import Verdict


def by_service(index: int, run_id: str, told: Mapping[str, Any]) -> Iterator[Result]:
    """A result's services, each with the worst of its experiments; nothing of a postponed run.

    What the whole run broke, all have broken. `index` is the record's number.
    """
    if told.get("is_postponed"):
        return
    experiments: Sequence[Mapping[str, Any]] = told["experiments"]
    whole = _whole(told)
    for service in sorted({_service(e, told) for e in experiments}):
        own = [e for e in experiments if _service(e, told) == service]
        verdict = Verdict.worst(Verdict[e["verdict"]] for e in own)
        named = {*told.get("controls", ()), *(c for e in own for c in e.get("controls", ()))}
        yield Result(
            run_id, str(told["suite"]), service,
            max(verdict, whole),
            datetime.fromisoformat(str(told["sealed_at"])), index,
            frozenset(str(name).lower() for name in named),
        )


def _whole(told: Mapping[str, Any]) -> Verdict:
    """What the run's own checks say; before that was signed, what no experiment accounts for."""
    if "whole" in told:
        return Verdict[told["whole"]]
    total = Verdict[told["verdict"]]
    worst = Verdict.worst(Verdict[e["verdict"]] for e in told["experiments"])
    return total if total > worst else Verdict.HELD


def _service(experiment: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Results of before services were signed say the environment only."""
    return str(experiment.get("service") or told["environment"])
