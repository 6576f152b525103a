"""How the controls of a framework stand, by the signed results of this deployment's runs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast.controls.coverage import coverage
from holdfast.errors import SpecError
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.control import Result, Standing
from holdfast.model.record import Record
from holdfast.model.verdict import Verdict
from holdfast.ports.bundle import Ports
from holdfast.spec.excluded import load_excluded
from holdfast.spec.problems import nearest
from holdfast.steps.catalogues import catalogue
from holdfast.steps.seal import RESULT


def standings(
    ports: Ports, framework: str, days: int, service: str = ""
) -> Sequence[Standing]:
    """How a framework's controls stand now; of one service, where it is named.

    SpecError for a framework or a service that nobody knows.
    """
    known = catalogue()
    own = [c for c in known.values() if c.framework == framework]
    if not own:
        frameworks = sorted({c.framework for c in known.values()})
        raise SpecError(f"unknown framework '{framework}'", where="--framework",
                        hint=nearest(framework, frameworks))
    excluded = load_excluded(ports.settings.experiments, known)
    results = list(results_of(ports))
    services = {r.service for r in results}
    if service and service not in services:
        raise SpecError(f"no run has hit a service '{service}'", where="--service",
                        hint=nearest(service, services))
    mine = [r for r in results if service in ("", r.service)]
    return coverage(own, mine, ports.clock.now(), days, excluded)


def results_of(ports: Ports) -> Iterator[Result]:
    """What each run's latest signed result says, service by service; a postponed one nothing."""
    latest: dict[str, Record] = {}
    for record in ports.notary.records():
        if record.predicate_type == RESULT:
            latest[record.run_id] = record
    for record in latest.values():
        predicate = statement_of(read(record.envelope)).predicate
        if not predicate.get("is_postponed"):
            yield from _by_service(record, predicate)


def _by_service(record: Record, told: Mapping[str, Any]) -> Iterator[Result]:
    """A service's experiments, the worst of them; what the whole run broke, all have broken."""
    experiments: Sequence[Mapping[str, Any]] = told["experiments"]
    whole, worst = Verdict[told["verdict"]], Verdict.worst(
        Verdict[e["verdict"]] for e in experiments)
    for service in sorted({_service(e, told) for e in experiments}):
        own = [e for e in experiments if _service(e, told) == service]
        verdict = Verdict.worst(Verdict[e["verdict"]] for e in own)
        named = {*told.get("controls", ()), *(c for e in own for c in e.get("controls", ()))}
        yield Result(
            record.run_id, str(told["suite"]), service, max(verdict, whole if whole > worst
                                                           else verdict),
            datetime.fromisoformat(str(told["sealed_at"])), record.index,
            frozenset(str(name).lower() for name in named),
        )


def _service(experiment: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Results of before services were signed say the environment only."""
    return str(experiment.get("service") or told["environment"])
