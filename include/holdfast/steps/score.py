"""Work out the service's resilience score over the last week, and write it into the run's book."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import ceil

from holdfast.errors import HoldfastError
from holdfast.model.lease import End, Reason
from holdfast.model.run import Entry, EntryKind, Run
from holdfast.model.score import Seen, Tried
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.score.resilience import WINDOW_DAYS, resilience
from holdfast.score.series import Points, Span, seen
from holdfast.steps import indicate
from holdfast.steps.book import findings, run_of, suite_of, write
from holdfast.steps.judge import verdicts

NAME = "resilience"
_MOST_RUNS = 10_000
_COARSE_SECONDS = 60.0
_MOST_POINTS = 10_000  # Prometheus gives at most 11,000 of a series at once
_HELPED = (Reason.STOPPED.value, Reason.WITHDRAWN.value, End.ADOPTED.value)


def score(ports: Ports, run_id: str) -> None:
    """Write the SCORE entry from the runs of this suite in this environment, this one included.

    What Prometheus no longer has, or cannot be asked for, is left out and said so.
    """
    run, now = run_of(ports, run_id), ports.clock.now()
    start = now - timedelta(days=WINDOW_DAYS)
    there = [
        r for r in ports.books.runs(_MOST_RUNS)
        if r.environment == run.environment and _date(r.started_at) >= start
    ]
    tried = [t for r in reversed(there) if r.suite == run.suite for t in tried_in(ports, r)]
    behind = tuple(dict.fromkeys(t.run_id for t in tried))
    busy = [_span(ports, r, now) for r in there]
    watched = _seen(ports, suite_of(ports, run_id), (start.timestamp(), now.timestamp()), busy)
    told = asdict(resilience(tried, watched, behind))
    write(ports, run_id, EntryKind.SCORE, NAME, {"score": told.pop("value")} | told)


def tried_in(ports: Ports, run: Run) -> list[Tried]:
    """Give the faults that were injected in a run, as its book has them."""
    found = findings(ports, run.id)
    leases = ports.leases.leases(run_id=run.id)
    by_name = verdicts(found, (), leases)
    return [
        _tried(run.id, entry, by_name.get(entry.experiment, Verdict.UNKNOWN), found)
        for entry in ports.books.read(run.id, EntryKind.RECOVERY) if entry.data.get("injected")
    ]


def _tried(run_id: str, entry: Entry, verdict: Verdict, found: Iterable[Finding]) -> Tried:
    own = next(
        (f for f in found if f.name == "recovery" and f.experiment == entry.experiment), None
    )
    data, ms = entry.data, None if own is None else own.measured.get("recovery_ms")
    in_time = own is not None and own.verdict is Verdict.HELD
    helped = data.get("revoked") in _HELPED or data.get("ended") in _HELPED
    felt = _is_felt(data)
    return Tried(
        run_id, entry.experiment, verdict, felt, bool(data.get("recovered")),
        in_time and not helped, ms / 1000 if felt and isinstance(ms, int) else None,
    )


def _is_felt(data: Mapping[str, object]) -> bool:
    """Whether users felt it; without a workload's history that is taken for granted."""
    return data.get("detection_ms") is not None or data.get("source") != "history"


def _seen(ports: Ports, suite: Suite, window: Span, busy: Sequence[Span]) -> Seen:
    try:
        series, step = _series(ports, suite, window)
    except (HoldfastError, OSError) as error:
        return Seen(trouble=str(error))
    return seen(suite.objectives, series, step, busy)


def _series(
    ports: Ports, suite: Suite, window: Span
) -> tuple[Mapping[str, Points], float]:
    """Read every objective, as finely as the time with data allows: 1 s at best."""
    start, end = window
    series = _read(ports, suite, window, _COARSE_SECONDS)
    first = min((points[0][0] for points in series.values() if points), default=end)
    begin = max(start, first - _COARSE_SECONDS)
    step = max(1.0, float(ceil((end - begin) / _MOST_POINTS)))
    if first >= end or step >= _COARSE_SECONDS:
        return series, _COARSE_SECONDS
    return _read(ports, suite, (begin, end), step), step


def _read(ports: Ports, suite: Suite, window: Span, step: float) -> Mapping[str, Points]:
    return {o.name: indicate.between(ports, suite, o, (*window, step)) for o in suite.objectives}


def _span(ports: Ports, run: Run, now: datetime) -> Span:
    """From the run's start to its end; one that was never closed ends with its last entry."""
    written = [entry.at for entry in ports.books.read(run.id)]
    ended = run.ended_at or max((at for at in written if at), default=run.started_at)
    return _date(run.started_at).timestamp(), min(_date(ended), now).timestamp()


def _date(text: str) -> datetime:
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
