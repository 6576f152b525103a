"""What an objective measures: now, and as it was."""

import logging
from collections.abc import Sequence
from pathlib import Path

from holdfast.clients.samples import keep, kept
from holdfast.model.suite import Objective, Suite
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.safety.guard import usable

Points = Sequence[tuple[float, float]]
Span = tuple[float, float, float]
"""From and to, in unix seconds, and the step between."""
_log = logging.getLogger("holdfast.samples")


def now(ports: Ports, suite: Suite, objective: Objective, run_id: str = "") -> Sample:
    """The objective's indicator now.

    Given a run, what somebody else than Prometheus answered is kept for its charts.
    """
    question = objective.indicator.question()
    if isinstance(question, str):
        metrics = ports.metrics(suite.target.prometheus)
        return usable(
            objective.objective, metrics.now(question, suite.guard.oldest.total_seconds())
        )
    found = ports.probe(question)
    if run_id:
        try:
            keep(_file(ports, run_id), [(question, found)])
        except OSError as error:  # a chart's line is no reason to stop a run
            _log.warning("a sample of %s was not kept: %s", objective.name, error.strerror)
    return usable(objective.objective, found)


def between(
    ports: Ports, suite: Suite, objective: Objective, span: Span, run_id: str = ""
) -> Points:
    """Its values over a time. CheckError if Prometheus cannot be asked.

    Of what Prometheus does not know there is what was kept while the run went on.
    """
    question = objective.indicator.question()
    if isinstance(question, str):
        return ports.metrics(suite.target.prometheus).between(question, *span)
    own = [lease.id for lease in ports.leases.leases(run_id=run_id)] if run_id else []
    return kept((_file(ports, name) for name in (run_id, *own) if name), question, *span[:2])


def source(objective: Objective) -> str:
    """Where its history comes from, for people."""
    if objective.indicator.prometheus is not None:
        return "from Prometheus"
    return "as it was answered to baseline, guard and recovery; not asked in between"


def needs_prometheus(suite: Suite) -> bool:
    """Whether the guard asks Prometheus for anything."""
    asked = any(o.indicator.prometheus is not None for o in suite.objectives)
    return asked or suite.traffic is not None


def _file(ports: Ports, name: str) -> Path:
    return ports.settings.samples / f"{name}.jsonl"
