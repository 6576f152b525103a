"""The ledger in SQL: postings beside the books, in the same database."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection, Row, case, func, insert, select

from holdfast.clock import Clock, SystemClock
from holdfast.errors import HoldfastError
from holdfast.model.ledger import Account, Claim, Posting
from holdfast.safety.ledger import reserving, settling
from holdfast.stores._database import Database, reading, writing
from holdfast.stores._tables import POSTING


class SqlLedger:
    """A ledger beside the books; a transaction that writes reads alone what it decides on.

    So of two runs that ask at once the second sees what the first has taken.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock or SystemClock()

    def reserve(self, claim: Claim) -> None:
        """Set aside all that a run asks for; Postponed if the day has too little left."""
        with writing(self._database, HoldfastError) as connection:
            own = _read(connection, POSTING.c.run_id == claim.run_id)
            gone = _taken(connection, claim.day, claim.currency)
            _write(connection, reserving(claim, own, gone, self._now()))

    def settle(self, run_id: str, costs: Mapping[str, Decimal]) -> None:
        """Spend what each experiment cost, and give back the rest."""
        with writing(self._database, HoldfastError) as connection:
            there = _read(connection, POSTING.c.run_id == run_id)
            _write(connection, settling(there, costs, self._now()))

    def postings(self, *, day: str | None = None, run_id: str | None = None) -> Sequence[Posting]:
        """What was posted, in order."""
        wanted = {"day": day, "run_id": run_id}
        clauses = [POSTING.c[name] == value for name, value in wanted.items() if value is not None]
        with reading(self._database, HoldfastError) as connection:
            return _read(connection, *clauses)

    def unsettled(self) -> Sequence[str]:
        """Runs for which money is still set aside."""
        sign = case(
            (POSTING.c.target == Account.RESERVED.value, 1),
            (POSTING.c.source == Account.RESERVED.value, -1), else_=0,
        )
        query = select(POSTING.c.run_id).group_by(POSTING.c.run_id).having(
            func.sum(sign * POSTING.c.amount) > 0
        )
        with reading(self._database, HoldfastError) as connection:
            return [row.run_id for row in connection.execute(query)]

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


def _taken(connection: Connection, day: str, currency: str) -> int:
    """What `safety.ledger.taken` says, reckoned where the postings are."""
    out = case(
        (POSTING.c.source == Account.FREE.value, POSTING.c.amount),
        (POSTING.c.target == Account.FREE.value, -POSTING.c.amount), else_=0,
    )
    query = select(func.sum(out)).where(POSTING.c.day == day, POSTING.c.currency == currency)
    return int(connection.execute(query).scalar() or 0)


def _read(connection: Connection, *clauses: object) -> list[Posting]:
    query = select(POSTING).where(*clauses).order_by(POSTING.c.seq)  # type: ignore[arg-type]
    return [_posting(row) for row in connection.execute(query)]


def _write(connection: Connection, postings: Sequence[Posting]) -> None:
    for p in postings:
        connection.execute(insert(POSTING).values(
            day=p.day, currency=p.currency, run_id=p.run_id, experiment=p.experiment,
            source=p.source.value, target=p.target.value, amount=p.amount, at=p.at,
        ))


def _posting(row: Row[tuple[object, ...]]) -> Posting:
    return Posting(
        row.day, row.currency, row.run_id, row.experiment, Account(row.source),
        Account(row.target), row.amount, row.at,
    )
