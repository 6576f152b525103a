"""The ledger in SQL: postings beside the books, in the same database."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection, Row, case, func, insert, or_, select

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

    def __init__(self, place: Database, clock: Clock | None = None) -> None:
        self._place, self._clock = place, clock or SystemClock()

    def reserve(self, claim: Claim) -> None:
        """Set aside all that a run asks for; Postponed if the day has too little left."""
        concerned = or_(POSTING.c.day == claim.day, POSTING.c.run_id == claim.run_id)
        with writing(self._place, HoldfastError) as connection:
            there = _read(connection, concerned)
            _write(connection, reserving(claim, there, self._now()))

    def settle(self, run_id: str, costs: Mapping[str, Decimal]) -> None:
        """Spend what each experiment cost, and give back the rest."""
        with writing(self._place, HoldfastError) as connection:
            there = _read(connection, POSTING.c.run_id == run_id)
            _write(connection, settling(there, costs, self._now()))

    def postings(self, *, day: str | None = None, run_id: str | None = None) -> Sequence[Posting]:
        """What was posted, in order."""
        wanted = {"day": day, "run_id": run_id}
        clauses = [POSTING.c[name] == value for name, value in wanted.items() if value is not None]
        with reading(self._place, HoldfastError) as connection:
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
        with reading(self._place, HoldfastError) as connection:
            return [row.run_id for row in connection.execute(query)]

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


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
