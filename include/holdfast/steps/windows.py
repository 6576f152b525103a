"""Whether a round may begin now: by the clock, the calendar, and the last incident."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.errors import SpecError
from holdfast.model.cascade import longest_wait
from holdfast.model.suite import Round, Suite
from holdfast.model.windows import AfterIncident
from holdfast.plan.outline import worst_case
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Metrics
from holdfast.safety.windows import opening
from holdfast.steps.calendar import calendar_of, shut, told


@dataclass(frozen=True, slots=True)
class Closed:
    """Why no round may begin now, and when one may, if that is known."""

    text: str
    opens: datetime | None = None


def closed(
    ports: Ports, suite: Suite, step: Round, before: timedelta = timedelta(0)
) -> Closed | None:
    """Say why this round, which begins after so much time, may not; None if it may.

    It may when the longest of its faults is gone at worst before the window closes.
    """
    now, span = ports.clock.now(), before + longest(ports, suite, step)
    calendar = calendar_of(suite, ports.settings.experiments)
    incident, why = _incident(ports, suite), shut(calendar, now, span)
    reasons = [reason for reason in (incident.text if incident else "", why) if reason]
    if incident is not None and incident.opens is None:
        return Closed("; ".join(reasons))  # nobody knows when it is over
    if not reasons:
        return None
    after = max(now, incident.opens) if incident and incident.opens else now
    opens = opening(calendar, after, span)
    return Closed("; ".join([*reasons, told(calendar, opens)]), opens)


def longest(ports: Ports, suite: Suite, step: Round) -> timedelta:
    """How long the faults of a round may be on at worst."""
    return max(
        (longest_wait(step, e) + worst_case(e, suite.guard, ports.drivers[e.fault.type].effect)
         for e in step.experiments),
        default=timedelta(0),
    )


def _incident(ports: Ports, suite: Suite) -> Closed | None:
    """An incident is what the suite's query says, not a run of Holdfast's that ended badly."""
    spec = suite.windows.after_incident
    if spec is None:
        return None
    try:
        return _asked(ports.metrics(suite.target.prometheus), spec, ZoneInfo(suite.time_zone))
    except SpecError as error:
        return Closed(f"whether there is an incident is not known: {error}")


def _asked(metrics: Metrics, spec: AfterIncident, zone: ZoneInfo) -> Closed | None:
    now = metrics.now(f"max({spec.prometheus})")
    if now.value is None:
        return Closed(f"whether there is an incident is not known: {now.why}")
    if now.value > 0:
        return Closed("there is an incident now")
    last = metrics.now(_last(spec))
    if last.value is None:
        return Closed(f"when the last incident was is not known: {last.why}")
    at = datetime.fromtimestamp(last.value, UTC)
    gap = f"{spec.gap.total_seconds() / 3600:g} h"
    told = f"the last incident was until {at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    return Closed(f"{told}, less than {gap} ago", at + spec.gap) if last.value else None


def _last(spec: AfterIncident) -> str:
    """When there was an incident last, by a look each minute, within the gap; else 0."""
    seconds = round(spec.gap.total_seconds())
    return f"max(max_over_time(timestamp(({spec.prometheus}) > 0)[{seconds}s:60s])) or vector(0)"
