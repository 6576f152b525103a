"""What whoever checks asks beside: a period, controls, how old things may be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from holdfast.audit.request import Request
from holdfast.audit.runs import runs_of
from holdfast.audit.told import Told, standings
from holdfast.evidence.checkpoint import Checkpoint
from holdfast.evidence.head import AHEAD, Head
from holdfast.evidence.log import place_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.control import Standing, State
from holdfast.model.record import Statement

_PASSING = (State.EVIDENCED, State.PARTIAL)


@dataclass(frozen=True, slots=True)
class Asked:
    """`now` is the reader's time; ages are unlimited where None; `pin` is what was seen before."""

    now: datetime
    pin: Checkpoint | None = None
    since: datetime | None = None
    until: datetime | None = None
    require: Sequence[str] = ()
    bundle_age: timedelta | None = None
    control_age: timedelta | None = None


def check_age(asked: Asked, made_at: datetime, head: Head) -> Iterator[Trouble]:
    """Hold the bundle's time, and that of its witnesses, against the age that is allowed."""
    limit = asked.bundle_age
    if made_at > asked.now + timedelta(seconds=AHEAD):
        yield Trouble(
            "E_FUTURE_BUNDLE", "manifest", f"made at {asked.now} or before", f"{made_at}",
            "it says that it was made at a time to come",
        )
    if limit is None:
        return
    if asked.now - made_at > limit:
        yield Trouble(
            "E_STALE_BUNDLE", "manifest", f"made within {limit}", f"{asked.now - made_at} ago",
            "it may be an old bundle shown again",
        )
    age = None if head.last_seen is None else asked.now.timestamp() - head.last_seen
    if age is not None and age > limit.total_seconds():
        yield Trouble(
            "E_STALE_CHECKPOINT", "checkpoint", f"seen by enough witnesses within {limit}",
            f"{age:.0f} s ago", "the bundle is new, the log's head in it is old",
        )


def check_period(
    asked: Asked, request: Request, first: int, statements: Mapping[int, Statement],
    known: datetime,
) -> Iterator[Trouble]:
    """Whether the bundle tells of all the period that was asked for.

    A bundle goes to the end of the log; it begins with the log, or with a record of before. `known`
    is until when that end was the log's.
    """
    if asked.until is not None and known < asked.until < asked.now:
        yield Trouble(
            "E_RANGE_INCOMPLETE", "checkpoint", f"a head of {asked.until} or later", f"{known}",
            "records of the period may have come after it",
        )
    place = place_of(statements[first]) if first in statements else None
    for wanted in (asked.since, request.since):
        begins_before = first == 0 or (
            place is not None and wanted is not None
            and place.moment < wanted)
        if not begins_before:
            yield Trouble(
                "E_RANGE_INCOMPLETE", "entries",
                f"the log's first record, or one of before {wanted or 'everything'}",
                f"record {first}" if place is None else f"record {first} of {place.recorded_at}",
                "records of the period may be left out at its beginning",
            )
    too_late = asked.since is not None and request.since is not None and (
        request.since > asked.since)
    too_early = request.until is not None and (asked.until is None or request.until < asked.until)
    if too_late or (too_early and (asked.since or asked.until)):
        yield Trouble(
            "E_RANGE_INCOMPLETE", "manifest", f"{asked.since} to {asked.until}",
            f"{request.since} to {request.until}", "it tells of a shorter period",
        )


def check_required(
    asked: Asked, told: Told, statements: Mapping[int, Statement]
) -> Iterator[Trouble]:
    """Whether each control that must be shown has fresh evidence that passes, now.

    What shows it must be told of; what has failed counts wherever it stands in the bundle: who
    made it has chosen suites, services and a period.
    """
    if not asked.require:
        return
    days = told.basis.request.days
    if asked.control_age is not None:
        days = min(days, asked.control_age.days)
    request = replace(told.basis.request, frameworks=(), days=days)
    basis = replace(told.basis, request=request, at=asked.now)
    shown = standings(told.runs, basis)
    every = replace(basis, request=replace(request, services=()))
    failed = [s for s in standings([*runs_of(statements).values()], every)
              if s.state is State.FAILING]
    for name in dict.fromkeys(n.lower() for n in asked.require):
        own = [s for s in shown if s.control.name == name]
        against = [s for s in failed if s.control.name == name]
        if not own or against or any(s.state not in _PASSING for s in own):
            found = [s for s in own if s.service not in {a.service for a in against}]
            yield Trouble("GAP", name, "fresh evidence that passes", _states([*against, *found]),
                          "genuine, but it does not show this control")


def _states(found: Sequence[Standing]) -> str:
    return "; ".join(f"{s.service} {s.state}: {s.reason}" for s in found) or "no such control"
