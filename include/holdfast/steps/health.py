"""Score the target's health before the first fault."""

from collections.abc import Mapping, Sequence

from holdfast.errors import Postponed
from holdfast.model.run import EntryKind
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.safety.health import Part, health, of_objective, of_query
from holdfast.steps.book import write


def check_health(
    ports: Ports, run_id: str, suite: Suite, values: Mapping[str, Sequence[float]]
) -> None:
    """Write the score with its parts; Postponed, with what pulled it down, below the limit.

    `values` are the samples of the baseline by objective. What is not measured counts as ill, and
    when nothing is, there is no score.
    """
    parts = [of_objective(o.name, o.objective, values[o.name]) for o in suite.objectives]
    parts += [_asked(ports, suite, name) for name in suite.health.parts]
    found = health(parts, suite.health.limit)
    score = None if found.score is None else round(found.score, 4)
    write(ports, run_id, EntryKind.HEALTH, "health", {
        "score": score, "limit": found.limit, "parts": [p.as_json() for p in found.parts],
    })
    if why := found.why_not():
        raise Postponed(why)


def _asked(ports: Ports, suite: Suite, name: str) -> Part:
    part = suite.health.parts[name]
    sample = ports.metrics(suite.target.prometheus).now(part.prometheus)
    return of_query(name, part.weight, sample.value, sample.why)
