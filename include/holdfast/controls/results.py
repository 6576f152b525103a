"""What signed results say for controls, service by service. Pure."""

from collections.abc import Iterable, Iterator, Mapping
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
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for experiment in told["experiments"]:
        by_name.setdefault(_service(experiment, told), []).append(experiment)
    whole, at = _whole(told), _moment(str(told["sealed_at"]))
    shared = _names(told.get("controls", ()))
    for service, own in sorted(by_name.items()):
        verdict = Verdict.worst(Verdict[e["verdict"]] for e in own)
        named = _names(c for e in own for c in e.get("controls", ()))
        yield Result(
            run_id, str(told["suite"]), service, max(verdict, whole), at, index,
            shared | named if named else shared,
        )


def _names(controls: Iterable[object]) -> frozenset[str]:
    return frozenset(str(name).lower() for name in controls)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} says no time zone")
    return moment


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
