"""Runs and what was written about them, in SQL."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Row, Select, func, insert, select, update

from holdfast.clock import Clock, SystemClock
from holdfast.errors import HoldfastError
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tables import ENTRY, RUN


class SqlBooks:
    """The books, in a file or on a server; each call is one durable transaction."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock or SystemClock()

    def open_run(self, run: Run) -> None:
        """Write the run down; a second time changes nothing."""
        with writing(self._database, HoldfastError) as connection:
            if connection.execute(select(RUN.c.id).where(RUN.c.id == run.id)).first() is None:
                connection.execute(insert(RUN).values(_columns(run)))

    def close_run(self, run: Run) -> None:
        """Write its state, verdict, reason and end."""
        columns = _columns(run)
        end = {name: columns[name] for name in ("state", "verdict", "reason", "ended_at")}
        with writing(self._database, HoldfastError) as connection:
            connection.execute(update(RUN).where(RUN.c.id == run.id).values(end))

    def run(self, run_id: str) -> Run | None:
        """One run."""
        with reading(self._database, HoldfastError) as connection:
            row = connection.execute(select(RUN).where(RUN.c.id == run_id)).one_or_none()
        return None if row is None else _run(row)

    def runs(self, limit: int = 50) -> Sequence[Run]:
        """The latest runs first."""
        return self._found(select(RUN).order_by(RUN.c.seq.desc()).limit(limit))

    def going(self) -> Sequence[Run]:
        """Every run that has not ended, the latest first."""
        started = RUN.c.state == RunState.STARTED.value
        return self._found(select(RUN).where(started).order_by(RUN.c.seq.desc()))

    def write(self, entry: Entry) -> None:
        """Append."""
        at = entry.at or self._clock.now().isoformat(timespec="milliseconds")
        values = {
            "run_id": entry.run_id, "kind": entry.kind.value, "experiment": entry.experiment,
            "name": entry.name, "at": at,
            "data": json.dumps(entry.data, sort_keys=True, ensure_ascii=False),
        }
        with writing(self._database, HoldfastError) as connection:
            connection.execute(insert(ENTRY).values(values))

    def read(self, run_id: str, kind: EntryKind | None = None) -> Sequence[Entry]:
        """Entries in order of writing; of the same kind, experiment and name only the latest."""
        latest = (
            select(func.max(ENTRY.c.seq)).where(ENTRY.c.run_id == run_id)
            .group_by(ENTRY.c.kind, ENTRY.c.experiment, ENTRY.c.name)
        )
        query = select(ENTRY).where(ENTRY.c.seq.in_(latest)).order_by(ENTRY.c.seq)
        if kind is not None:
            query = query.where(ENTRY.c.kind == kind.value)
        with reading(self._database, HoldfastError) as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _found(self, query: Select[tuple[object, ...]]) -> Sequence[Run]:
        with reading(self._database, HoldfastError) as connection:
            return [_run(row) for row in connection.execute(query).all()]


def _columns(run: Run) -> dict[str, object]:
    return {
        "id": run.id, "suite": run.suite, "environment": run.environment,
        "triggered_by": run.triggered_by, "plan_digest": run.plan_digest,
        "started_at": run.started_at, "start_boottime": run.start_boottime,
        "state": run.state.value, "verdict": None if run.verdict is None else run.verdict.name,
        "reason": run.reason, "ended_at": run.ended_at,
    }


def _run(row: Row[tuple[object, ...]]) -> Run:
    values = {k: v for k, v in row._mapping.items() if k not in ("seq", "state", "verdict")}
    with _damage(f"the row of run {row.id}"):
        verdict = None if row.verdict is None else Verdict[row.verdict]
        return Run(**values, state=RunState(row.state), verdict=verdict)


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    with _damage(f"entry {row.seq} of run {row.run_id}"):
        return Entry(
            run_id=row.run_id, kind=EntryKind(row.kind), name=row.name, data=json.loads(row.data),
            experiment=row.experiment, at=row.at,
        )


@contextmanager
def _damage(place: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError, TypeError) as error:
        raise HoldfastError(
            f"{place} in the books is damaged ({error}): put back a copy of the books"
        ) from error
