"""What a person reads before they approve a plan: Markdown for Airflow's page of the request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from holdfast.model.fault import Effect
from holdfast.model.run import EntryKind
from holdfast.ports.bundle import Ports
from holdfast.reports._content import seconds
from holdfast.reports.markdown import plain
from holdfast.steps.book import plan_of, run_of, suite_of

_MOMENT = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked about which plan, until when; `irreversible` is what a yes has to name."""

    plan: str
    until: datetime
    subject: str
    body: str
    irreversible: tuple[str, ...] = ()


def request(ports: Ports, run_id: str, why: str, until: datetime) -> Request:
    """Tell all that the answer is about; only the plan of the run's book is read."""
    run, plan = run_of(ports, run_id), plan_of(ports, run_id)
    lines = [
        f"**{plain(run.triggered_by) or 'Somebody'}** wants to run the faults of **{run.suite}** "
        f"in **{run.environment}**. You are asked because {plain(why)}.",
        "",
        *_glance(ports, run_id, plan),
        "",
        *_experiments(plan),
        "",
        f"A yes counts for this plan only, and has to come from somebody else than who asked"
        f"{_named(ports, run_id)}. No answer until {until:{_MOMENT}} is a no. Afterwards "
        f"`holdfast withdraw {run_id}` takes a yes back, and ends what is broken.",
    ]
    subject = f"May {run.suite} break {run.environment}?"
    return Request(
        str(plan["digest"]), until, subject, "\n".join(lines), tuple(irreversible(plan))
    )


def shown(ports: Ports, run_id: str) -> dict[str, object]:
    """The figures of the request, as they are signed with its answer."""
    plan = plan_of(ports, run_id)
    named = ("blast_radius_permille", "worst_case_ms", "currency")
    costs = _costs(plan)
    return {name: plan[name] for name in named if name in plan} | {
        "impact": _impact(ports, run_id), "irreversible": irreversible(plan),
    } | ({"worst_cost": costs} if costs else {})


def irreversible(plan: Mapping[str, Any]) -> list[str]:
    """The planned experiments whose faults cannot be undone."""
    effect = Effect.IRREVERSIBLE.value
    return [e["name"] for e in plan["experiments"] if e["effect"] == effect]


def others(ports: Ports, run_id: str) -> list[str]:
    """Whom the suite names, but for the one who triggered; empty if anybody else may approve."""
    spec, asker = suite_of(ports, run_id).approval, run_of(ports, run_id).triggered_by
    named = () if spec is None else spec.by
    return [name for name in named if spec is not None and not spec.rule.why_not_by(name, asker)]


def _glance(ports: Ports, run_id: str, plan: Mapping[str, Any]) -> Iterator[str]:
    impact: Any = _impact(ports, run_id)
    shares = plan["blast_radius_permille"].items()
    radius = ", ".join(f"{permille / 10:g} % of {service}" for service, permille in shares)
    yield from ("| | |", "| --- | --- |", f"| Plan | `{plan['digest']}` |")
    if impact:
        yield f"| Impact | **{impact['score']} of 100**, {impact['level']} |"
        for part in impact["parts"]:
            points = f"{part['points']} of {part['weight']}"
            yield f"| – {part['name']} | {points}: {plain(part['text'])} |"
    yield f"| Blast radius | {radius or 'nothing'} |"
    yield f"| Takes at worst | {seconds(plan['worst_case_ms'])} |"
    if costs := _costs(plan):
        yield f"| Costs at worst | {costs} |"


def _experiments(plan: Mapping[str, Any]) -> Iterator[str]:
    yield "| Round | Experiment | Fault | Hits | For | Ends |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for e in plan["experiments"]:
        hits = ", ".join(plain(t["name"]) for t in e["targets"]) or "nothing"
        fault, ends = e["fault"], _ENDS[Effect(e["effect"])]
        yield (f"| {e['round'] + 1} | {e['name']} | {fault['type']} on {fault['service']} | "
               f"{hits} | {seconds(fault['duration_ms'])} | {ends} |")


def _costs(plan: Mapping[str, Any]) -> str:
    costs = [Decimal(e["worst_cost"]) for e in plan["experiments"] if "worst_cost" in e]
    return f"{sum(costs, Decimal(0)):f} {plan['currency']}" if costs else ""


def _named(ports: Ports, run_id: str) -> str:
    names = others(ports, run_id)
    return f": {plain(', '.join(names))}" if names else ""


def _impact(ports: Ports, run_id: str) -> dict[str, object]:
    """The whole plan's, with its reasons; empty if it was not worked out."""
    entries = ports.books.read(run_id, EntryKind.IMPACT)
    data = entries[-1].data if entries else {}
    return {name: data[name] for name in ("score", "level", "parts") if name in data}


_ENDS = {
    Effect.HELD: "reverted",
    Effect.ONE_SHOT: "repairs itself, else is mended",
    Effect.IRREVERSIBLE: "**cannot be undone**",
}
