"""What results show of controls, by control and service: an index over the evidence log.

It is brought up to date when it is asked, and can be made anew from the records at any time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from holdfast.controls.results import by_service
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.story import RESULT, START
from holdfast.model.control import Result
from holdfast.model.record import PREDICATES, Record
from holdfast.model.retrieval import Wanted
from holdfast.model.verdict import Verdict
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tables import RECORD, RUN, SHOWN, SHOWN_UNTIL

TELLING = 8
"""How many results of one control and service that say something are looked at, the newest."""
_SIZE = select(func.max(RECORD.c.number))
_UNTIL = select(func.max(SHOWN_UNTIL.c.size))
_RESULTS = select(RECORD.c.number, RECORD.c.run_id, RECORD.c.envelope).where(
    RECORD.c.number >= bindparam("first"), RECORD.c.predicate_type == RESULT,
).order_by(RECORD.c.number)
_STARTED = select(func.max(RECORD.c.number)).where(
    RECORD.c.run_id == bindparam("of_run"), RECORD.c.predicate_type == START,
    RECORD.c.number < bindparam("before"))
_FORGET = delete(SHOWN).where(
    SHOWN.c.run_id == bindparam("of_run"),
    SHOWN.c.number > func.coalesce(_STARTED.scalar_subquery(), -1))
"""A later result takes the place of the one before, but not of one before a new start."""


class SqlShown:
    """The index in the books."""

    def __init__(self, books: Database) -> None:
        self._books = books

    def results(self, controls: Iterable[str], service: str = "") -> Sequence[Result]:
        """What the newest results say of controls, by name; of one service, where it is named.

        EvidenceError, with its number, for a result that is none.
        """
        self._catch_up()
        wanted = {"wanted": sorted({*controls}), "place": service}
        query = _newest(_places(_CONTROLS.c.control.in_(bindparam("wanted", expanding=True))),
                        bool(service))
        with reading(self._books, EvidenceError) as connection:
            return list(_results(connection.execute(query, wanted)))

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
            places = _places(_CONTROLS.c.control.is_not(None))
            query = select(places.c.service).where(places.c.service.is_not(None)).distinct()
            return sorted(connection.execute(query).scalars())

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
                connection.execute(_FORGET, {"of_run": run_id, "before": number})
                if rows := list(_rows(number, run_id, envelope)):
                    connection.execute(insert(SHOWN), rows)
            connection.execute(delete(SHOWN_UNTIL))
            connection.execute(insert(SHOWN_UNTIL), {"size": size})


def _matching(wanted: Wanted) -> Select[int, str, str, str, str, bytes]:
    seen = select(RUN.c.id).where(RUN.c.id == RECORD.c.run_id, RUN.c.suite.in_(wanted.suites))
    place: ColumnElement[bool] = seen.exists() | (RECORD.c.run_id == "")
    if wanted.suite:
        place = RECORD.c.run_id.in_(select(RUN.c.id).where(
            RUN.c.suite.in_(wanted.suites), RUN.c.suite == wanted.suite))
    query = select(
        RECORD.c.number, RECORD.c.run_id, RECORD.c.predicate_type, RECORD.c.recorded_at,
        RECORD.c.previous, RECORD.c.envelope,
    ).where(RECORD.c.number > wanted.after, place)
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


def _controls() -> CTE:
    """Every control there is: each is looked up in the index behind the one before.

    A plain DISTINCT would read a million rows for some thousand places.
    """
    first = select(func.min(SHOWN.c.control).label("control")).cte("controls", recursive=True)
    following = select(func.min(SHOWN.c.control)).where(SHOWN.c.control > first.c.control)
    return first.union_all(
        select(following.scalar_subquery()).where(first.c.control.is_not(None)))


_CONTROLS = _controls()


def _places(which: ColumnElement[bool]) -> CTE:
    """The services of controls, in the same way; each control's last row has none."""
    lowest = select(func.min(SHOWN.c.service)).where(SHOWN.c.control == _CONTROLS.c.control)
    first = select(
        _CONTROLS.c.control, lowest.scalar_subquery().label("service"),
    ).where(which).cte("places", recursive=True)
    following = select(func.min(SHOWN.c.service)).where(
        SHOWN.c.control == first.c.control, SHOWN.c.service > first.c.service)
    return first.union_all(
        select(first.c.control, following.scalar_subquery()).where(first.c.service.is_not(None)))


def _newest(places: CTE, is_one: bool) -> Select[str, str, str, int, str, int, str]:
    """The rows of places that count: the newest that say something, and UNKNOWN since."""
    told = select(SHOWN.c.at).where(
        SHOWN.c.control == places.c.control, SHOWN.c.service == places.c.service,
        SHOWN.c.verdict != Verdict.UNKNOWN,
    ).order_by(SHOWN.c.at.desc(), SHOWN.c.number.desc()).limit(1)
    since = select(
        places.c.control, places.c.service,
        func.coalesce(told.scalar_subquery(), "").label("newest"),
        func.coalesce(told.offset(TELLING - 1).scalar_subquery(), "").label("oldest"),
    ).where(places.c.service == bindparam("place") if is_one
            else places.c.service.is_not(None)).cte("since")
    return select(
        SHOWN.c.run_id, SHOWN.c.suite, SHOWN.c.service, SHOWN.c.verdict, SHOWN.c.at,
        SHOWN.c.number, SHOWN.c.control,
    ).where(
        SHOWN.c.control == since.c.control, SHOWN.c.service == since.c.service,
        SHOWN.c.at >= since.c.oldest,
        (SHOWN.c.verdict != Verdict.UNKNOWN) | (SHOWN.c.at >= since.c.newest),
    ).order_by(
        SHOWN.c.control, SHOWN.c.service, SHOWN.c.verdict == Verdict.UNKNOWN,
        SHOWN.c.at.desc(), SHOWN.c.number.desc())


def _results(rows: Iterable[Row[str, str, str, int, str, int, str]]) -> Iterator[Result]:
    verdicts, names = list(Verdict), {}
    for run_id, suite, service, verdict, at, number, control in rows:
        if control not in names:
            names[control] = frozenset({control})
        yield Result(run_id, suite, service, verdicts[verdict], datetime.fromisoformat(at),
                     number, names[control])
