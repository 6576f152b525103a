"""Ask a PostgreSQL for one number, in a transaction that can only read.

READ ONLY stops writes, but not a function that ends sessions or reads the server's files. So the
login must have no such rights, and nobody else may use it: its own sessions it could always end.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from math import isnan
from typing import TYPE_CHECKING, Any

from holdfast.clients.connections import Connection
from holdfast.clients.postgres import OWN_NAME, Cluster, hang_up
from holdfast.clock import Clock
from holdfast.model.indicator import Indicator
from holdfast.ports.metrics import Sample

if TYPE_CHECKING:
    import psycopg

STATEMENT_MS = 1000
_HANG_UP_SECONDS = 2.0
_STRONG = (
    "pg_signal_backend", "pg_execute_server_program", "pg_read_server_files",
    "pg_write_server_files", "pg_write_all_data", "pg_checkpoint", "pg_maintain",
    "pg_create_subscription", "pg_signal_autovacuum_worker",
)
_POWERS = """
SELECT CASE WHEN rolsuper THEN 'superuser' WHEN rolname = ANY(%s) THEN rolname
            WHEN rolcreaterole THEN 'createrole' ELSE 'replication' END
FROM pg_roles
WHERE (rolsuper OR rolcreaterole OR rolreplication OR rolname = ANY(%s))
  AND pg_has_role(session_user, oid, 'MEMBER')
ORDER BY rolsuper DESC, rolname LIMIT 1
"""
_OTHERS = """
SELECT session_user, coalesce(max(application_name), ''), count(*) FROM pg_stat_activity
WHERE usename = session_user AND NOT starts_with(application_name, %s)
"""
_BEGIN = f"BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = {STATEMENT_MS}"
_END = "ROLLBACK; SELECT pg_advisory_unlock_all()"


class LoginRefused(Exception):
    """The login may do more than read."""


class SqlTalker:
    """One PostgreSQL, asked in one session by one thread: questions wait for each other."""

    def __init__(self, at: Connection, clock: Clock) -> None:
        self.name, self._clock = at.id, clock
        self._session = _Session(at)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="holdfast-sql")

    async def ask(self, question: Indicator) -> Sample:
        """Run the indicator's query."""
        loop, query = asyncio.get_running_loop(), question.query or ""
        value, why = await loop.run_in_executor(self._thread, self._session.ask, query)
        return Sample(value, self._clock.now().timestamp(), why and f"{self.name}: {why}")

    async def close(self) -> None:
        """Close the session after what is under way."""
        self._thread.submit(self._session.close)
        self._thread.shutdown(wait=False)


class _Session:
    """A session that is opened when it is needed; used by one thread."""

    def __init__(self, at: Connection) -> None:
        self._at = at
        self._link: psycopg.Connection[tuple[Any, ...]] | None = None

    def ask(self, query: str) -> tuple[float | None, str]:
        """The number, or why there is none."""
        import psycopg

        try:
            link = self._link = self._link or _connect(self._at)
            with hang_up(link.fileno(), _HANG_UP_SECONDS):
                return _number(_ask(link, query))
        except (psycopg.Error, LoginRefused) as error:
            self.close()
            return None, next(iter(str(error).strip().splitlines()), "no answer")

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None


def _connect(at: Connection) -> "psycopg.Connection[tuple[Any, ...]]":
    """Log in at the node that takes writes, or at the only one; LoginRefused if it may do more."""
    import psycopg

    cluster = Cluster(at)
    link = psycopg.connect(
        cluster.anywhere("primary" if len(cluster.nodes) > 1 else "any"),
        application_name=f"{OWN_NAME}-guard", autocommit=True, connect_timeout=2,
        options=f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS}",
    )
    with ExitStack() as refused:
        refused.callback(link.close)
        with hang_up(link.fileno(), _HANG_UP_SECONDS):
            _refuse_power(link, str(at.extra.get("role") or ""))
        refused.pop_all()
    return link


def _refuse_power(link: "psycopg.Connection[tuple[Any, ...]]", role: str) -> None:
    power = link.execute(_POWERS, [list(_STRONG)] * 2).fetchone()
    login, program, others = link.execute(_OTHERS, [OWN_NAME]).fetchall()[0]
    cure = "give the guard a login of its own that can only read"
    if power is not None:
        raise LoginRefused(f"the login has the rights of {power[0]} ({cure})")
    if others or login == role:
        used = f"others use the login {login} too" + (f", such as {program}" if program else "")
        raise LoginRefused(f"{used}: a query could end their sessions ({cure})")


def _ask(link: "psycopg.Connection[tuple[Any, ...]]", query: str) -> Sequence[Any]:
    """Run it as a value of ours: the server refuses more than one column, row or statement."""
    import psycopg

    link.execute(_BEGIN)
    try:
        # Prepared, as only that way the server takes no second statement.
        asked = f"SELECT ({query.strip().removesuffix(';')}\n)::float8"
        return link.execute(asked.encode(), prepare=True).fetchone() or ()
    finally:
        with suppress(psycopg.Error):  # a session that broke has ended its transaction
            link.execute(_END)


def _number(row: Sequence[Any]) -> tuple[float | None, str]:
    value = row[0] if row else None
    if value is None:
        return None, "the query gives no number: no row, or NULL"
    return (None, "the value is not a number") if isnan(value) else (float(value), "")
