"""What results show of controls, by control and service: an index over the evidence log.

It is brought up to date when it is asked, and can be made anew from the records at any time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select

from holdfast.controls.results import by_service
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.story import RESULT
from holdfast.model.control import Result
from holdfast.model.record import PREDICATES, Record
from holdfast.model.retrieval import Wanted
from holdfast.model.verdict import Verdict
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tables import RECORD, RUN, SHOWN, SHOWN_UNTIL

TELLING, SINCE = 20, 1000
"""How many results of one control and service are looked at: those that say something, the newest
first, and those that ended UNKNOWN since."""
_SIZE = select(func.max(RECORD.c.number))
_UNTIL = select(func.max(SHOWN_UNTIL.c.size))
_RESULTS = select(RECORD.c.number, RECORD.c.run_id, RECORD.c.envelope).where(
    RECORD.c.number >= bindparam("first"), RECORD.c.predicate_type == RESULT,
).order_by(RECORD.c.number)
_FORGET = delete(SHOWN).where(SHOWN.c.run_id == bindparam("of_run"))
_OF = select(SHOWN).where(
    SHOWN.c.control == bindparam("one"), SHOWN.c.service == bindparam("place"))
_LATEST_FIRST = (SHOWN.c.at.desc(), SHOWN.c.number.desc())
_TOLD = _OF.where(SHOWN.c.verdict != Verdict.UNKNOWN).order_by(*_LATEST_FIRST).limit(TELLING)
_UNKNOWN = _OF.where(
    SHOWN.c.verdict == Verdict.UNKNOWN, SHOWN.c.at >= bindparam("since"),
).order_by(*_LATEST_FIRST).limit(SINCE)


class SqlShown:
    """The index in the books."""

    def __init__(self, books: Database) -> None:
        self._books = books

    def results(self, controls: Iterable[str], service: str = "") -> Sequence[Result]:
        """What the newest results say of controls, by name; of one service, where it is named.

        EvidenceError, with its number, for a result that is none.
        """
        self._catch_up()
        wanted = set(controls)
        with reading(self._books, EvidenceError) as connection:
            pairs = connection.execute(
                select(SHOWN.c.control, SHOWN.c.service).distinct()).all()
            return [
                result for control, place in pairs
                if control in wanted and service in ("", place)
                for result in _newest(connection, control, place)
            ]

    def records(self, wanted: Wanted) -> Sequence[Record]:
        """The records that are asked for, `wanted.limit` at most.

        A damaged result keeps nobody from reading the others, unless results are what is sought.
        """
        if wanted.service or wanted.control or wanted.verdict:
            self._catch_up()
        with reading(self._books, EvidenceError) as connection:
            return [Record(*row) for row in connection.execute(_matching(wanted))]

    def suites(self) -> Sequence[str]:
        """Every suite that has a run in the books."""
        with reading(self._books, EvidenceError) as connection:
            return sorted(connection.execute(select(RUN.c.suite).distinct()).scalars())

    def services(self) -> Sequence[str]:
        """Every service that a result tells of."""
        self._catch_up()
        with reading(self._books, EvidenceError) as connection:
            return sorted(connection.execute(select(SHOWN.c.service).distinct()).scalars())

    def rebuild(self) -> None:
        """Forget the index, and make it from the records."""
        with writing(self._books, EvidenceError) as connection:
            connection.execute(delete(SHOWN))
            connection.execute(delete(SHOWN_UNTIL))
        self._catch_up()

    def _catch_up(self) -> None:
        with reading(self._books, EvidenceError) as connection:
            if _behind(connection) is None:
                return
        with writing(self._books, EvidenceError) as connection:
            behind = _behind(connection)
            if behind is None:
                return
            first, size = behind
            for number, run_id, envelope in connection.execute(_RESULTS, {"first": first}).all():
                connection.execute(_FORGET, {"of_run": run_id})
                if rows := list(_rows(number, run_id, envelope)):
                    connection.execute(insert(SHOWN), rows)
            connection.execute(delete(SHOWN_UNTIL))
            connection.execute(insert(SHOWN_UNTIL), {"size": size})


def _matching(wanted: Wanted) -> Select[int, str, str, str, str, bytes]:
    runs = select(RUN.c.id).where(RUN.c.suite.in_(wanted.suites))
    own = runs.where(RUN.c.suite == wanted.suite) if wanted.suite else runs
    place = RECORD.c.run_id.in_(own)
    query = select(
        RECORD.c.number, RECORD.c.run_id, RECORD.c.predicate_type, RECORD.c.recorded_at,
        RECORD.c.previous, RECORD.c.envelope,
    ).where(RECORD.c.number > wanted.after, place if wanted.suite else (
        place | (RECORD.c.run_id == "")))
    if wanted.run_id:
        query = query.where(RECORD.c.run_id == wanted.run_id)
    if wanted.kind:
        query = query.where(RECORD.c.predicate_type == f"{PREDICATES}{wanted.kind}/v1")
    if wanted.since:
        query = query.where(RECORD.c.recorded_at >= wanted.since)
    if wanted.until:
        query = query.where(RECORD.c.recorded_at <= wanted.until)
    told = [column == value for column, value in (
        (SHOWN.c.service, wanted.service), (SHOWN.c.control, wanted.control.lower()),
        (SHOWN.c.verdict, wanted.verdict and int(Verdict[wanted.verdict]))) if value != ""]
    if told:
        query = query.where(RECORD.c.number.in_(select(SHOWN.c.number).where(*told)))
    return query.order_by(RECORD.c.number).limit(wanted.limit)


def _behind(connection: Connection) -> tuple[int, int] | None:
    """From which record on the index is behind, and how many there are; None if it is not."""
    last, until = connection.execute(_SIZE).scalar(), connection.execute(_UNTIL).scalar() or 0
    size = 0 if last is None else last + 1
    return (until, size) if size > until else None


def _rows(number: int, run_id: str, envelope: bytes) -> Iterator[dict[str, object]]:
    try:
        told = statement_of(read(envelope)).predicate
        for result in by_service(number, run_id, told):
            for control in sorted(result.controls) or [""]:
                yield {
                    "number": number, "run_id": run_id, "suite": result.suite,
                    "service": result.service, "control": control,
                    "verdict": int(result.verdict), "at": result.at.isoformat(),
                }
    except (EvidenceError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise EvidenceError(f"not a result that can be read: {error!r}", index=number) from error


def _newest(connection: Connection, control: str, service: str) -> Iterator[Result]:
    place = {"one": control, "place": service}
    told = connection.execute(_TOLD, place).all()
    since = told[0].at if told else ""
    for row in [*told, *connection.execute(_UNKNOWN, place | {"since": since})]:
        yield _result(row)


def _result(row: Row[tuple[object, ...]]) -> Result:
    return Result(
        row.run_id, row.suite, row.service, Verdict(row.verdict),
        datetime.fromisoformat(row.at), row.number, frozenset({row.control}),
    )
