"""What was found in the histories that were judged by themselves, for the report."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model.suite import Suite
from holdfast.model.verdict import Verdict
from holdfast.model.witness import Witness
from holdfast.ports.bundle import Ports
from holdfast.reports._content import Circle, Judged
from holdfast.steps.items import is_by_itself, keys, place_of

_WHEN = ("before", "during", "after")
_MOST = 3
"""Witnesses that a report shows; all are in the check's artefact."""


def histories(ports: Ports, run_id: str, suite: Suite) -> list[Judged]:
    """Read what each check of a whole history has kept; one that could say nothing is left out."""
    return [
        _judged(place_of(suite.consistency[number]), json.loads(kept))
        for number in range(len(suite.consistency)) if is_by_itself(suite, number)
        for kept in _kept(ports, run_id, f"{keys(suite)[number]}.json")
    ]


def _kept(ports: Ports, run_id: str, name: str) -> Iterator[bytes]:
    for artefact in ports.artefacts.of(run_id):
        if artefact.name == name:
            yield ports.artefacts.path(artefact).read_bytes()


def _judged(place: str, told: Mapping[str, Any]) -> Judged:
    seen = dict(told["seen"])
    faults: Mapping[str, Mapping[str, Mapping[str, int]]] = seen.pop("faults", {})
    witnesses = [Witness.model_validate(w) for w in told["details"].get("witnesses", ())]
    verdicts = {"valid": Verdict.HELD, "invalid": Verdict.BROKEN}
    return Judged(
        place, str(told["checker"]), verdicts.get(str(told["verdict"]), Verdict.UNKNOWN),
        [(name, str(value)) for name, value in told["options"].items() if value is not None],
        [(name.replace("_", " "), int(count)) for name, count in seen.items()],
        [(fault, [(times[when]["operations"], times[when]["ok"]) for when in _WHEN])
         for fault, times in faults.items()],
        [Circle(w.anomaly, w.text, w.model_dump(mode="json")) for w in witnesses[:_MOST]],
        [(name, str(places[0])) for name, places in told["anomalies"].items()
         if name not in {w.anomaly for w in witnesses}],
    )
