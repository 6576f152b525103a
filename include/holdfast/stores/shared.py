"""Leases in a PostgreSQL that the processes of several machines share."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from holdfast.errors import SpecError
from holdfast.model.lease import Lease, Renewal
from holdfast.ports.leases import StoreDown
from holdfast.stores._database import engine
from holdfast.stores._lease_rows import SELECT, as_lease
from holdfast.stores._leases import HELD_BY_GUARD, Rows, Session, SqlLeases
from holdfast.stores._server import Server, answering

if TYPE_CHECKING:
    from holdfast.stores._server import Link

_LOCK = 0x486F6C64
"""The advisory lock of all who change leases: one after the other, as with the file."""
_OF_PARENT: list["Link"] = []
"""Sessions from before a fork: a child may neither use nor close them."""


class SharedLeases(SqlLeases):
    """A LeaseStore on a server: whatever machine asks, one transaction that writes at a time.

    Each thread has a session of its own, opened again after any trouble. While the file `hold` of
    this machine is there, no fault begins here.
    """

    def __init__(self, server: Server, hold: Path, *, busy_seconds: float = 5.0) -> None:
        super().__init__(hold)
        self._server, self._busy = server, busy_seconds

    def renew(self, renewals: Sequence[Renewal]) -> Mapping[str, Lease]:
        """Raise the counters of leases that are on and not revoked; give back all rows."""
        ids = [r.lease_id for r in renewals]
        memories = [json.dumps(dict(r.breach_since)) for r in renewals]
        with self._write() as db:
            db.execute(
                "UPDATE leases SET counter = counter + 1, breach_since = new.memory "  # noqa: S608
                "FROM unnest(CAST(? AS TEXT[]), CAST(? AS TEXT[])) AS new (id, memory) "
                f"WHERE leases.id = new.id AND {HELD_BY_GUARD}", (ids, memories),
            )
            rows = db.execute(f"{SELECT} WHERE id = ANY(?)", (ids,))
            return {row["id"]: as_lease(row) for row in rows}

    def close(self) -> None:
        """Let go of this thread's session; that of the parent of a fork stays the parent's."""
        link = self._own()
        self._local.link = None
        if link is not None:
            link.close()

    def _begin(self, db: Session) -> None:
        db.execute("BEGIN")
        db.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")

    @contextmanager
    def _connected(self) -> Iterator[Session]:
        import psycopg

        try:
            link = self._link()
            with answering(link):
                yield _Marked(link)
        except (psycopg.Error, SQLAlchemyError, SpecError, OSError) as error:
            self.close()
            raise StoreDown(f"{self._server}: {str(error).strip()}") from error

    def _link(self) -> "Link":
        from psycopg.rows import dict_row

        link = self._own()
        if link is None or link.closed:
            engine(self._server)  # makes the tables where there were none
            link = self._server.open(self._busy)
            link.autocommit, link.row_factory = True, dict_row
            self._local.link, self._local.pid = link, os.getpid()
        return link

    def _own(self) -> "Link | None":
        """The session of this thread; one that a fork has inherited is left alone."""
        link: Link | None = getattr(self._local, "link", None)
        if link is None or self._local.pid == os.getpid():
            return link
        _OF_PARENT.append(link)
        return None


class _Marked:
    """A session that takes the marks of the statements that all stores share."""

    def __init__(self, link: "Link") -> None:
        self._link = link

    def execute(self, statement: str, values: Any = (), /) -> Rows:
        """Run one statement with `?` or `:name` for values."""
        marked = re.sub(r":(\w+)", r"%(\1)s", statement.replace("?", "%s"))
        return self._link.execute(marked, values or None)

    def rollback(self) -> None:
        """Give up what was begun; a session that broke has given it up."""
        import psycopg

        with suppress(psycopg.Error):
            self._link.execute("ROLLBACK")
