"""The schema of one workload: made for it, dropped after it, swept if it was killed."""

import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from holdfast.clients.host import boot_id, host_name, start_time
from holdfast.clients.postgres import OWN_NAME, Cluster, hang_up
from holdfast.clock import Clock
from holdfast.errors import SpecError

if TYPE_CHECKING:
    import psycopg

    Link = psycopg.Connection[tuple[Any, ...]]

PREFIX = "holdfast_workload_"
_LIMIT_SECONDS = 10.0
_AWAY_SECONDS = 30.0
"""How long a database that fails over is waited for before its schema is left to the next sweep."""
_PAUSE = 0.5
_log = logging.getLogger("holdfast.workload")


@contextmanager
def own_schema(
    cluster: Cluster, tables: Sequence[LiteralString], clock: Clock
) -> Iterator[str]:
    """Make a schema with these tables and give its name; drop it in the end, whatever happened.

    Schemas of workloads that were killed on this host are dropped first. While it is used a session
    holds a lock of its name, as each client's does (`share_lock`): no other host's sweep takes it.
    SpecError with the cure if it cannot be made.
    """
    import psycopg

    name = PREFIX + secrets.token_hex(4)
    try:
        _sweep(cluster)
        holder = _connect(cluster)
    except psycopg.Error as error:
        raise _no_place(cluster, error) from error
    try:
        try:
            _make(cluster, holder, name, tables)
        except psycopg.Error as error:
            raise _no_place(cluster, error) from error
        try:
            yield name
        finally:
            _drop_patiently(cluster, name, clock)
    finally:
        holder.pgconn.finish()


def share_lock(link: "Link", name: str) -> bool:
    """Hold the schema's lock in this session too; false if a sweep has it now."""
    rows = link.execute(
        "SELECT pg_try_advisory_lock_shared(hashtextextended(%s, 0))", (name,)).fetchall()
    return bool(rows[0][0])


def _no_place(cluster: Cluster, error: "psycopg.Error") -> SpecError:
    return SpecError(
        f"the workload has no place to write to: {_first(error)}",
        where=f"connection {cluster.target}",
        hint="a login that may CREATE in the database: GRANT CREATE ON DATABASE d TO login",
    )


def _make(
    cluster: Cluster, holder: "Link", name: str, tables: Sequence[LiteralString]
) -> None:
    from psycopg import sql

    schema = sql.Identifier(name)
    owner = {"host": host_name(), "boot": boot_id(), "pid": os.getpid(),
             "start": start_time(os.getpid())}
    with hang_up(holder.fileno(), _LIMIT_SECONDS):
        share_lock(holder, name)
        holder.commit()  # the lock is the session's, and outlives it
    with _session(cluster) as link:
        link.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        link.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, json.dumps(owner)))
        link.execute(sql.SQL("SET LOCAL search_path TO {}").format(schema))
        for statement in tables:
            link.execute(statement)


def _sweep(cluster: Cluster) -> None:
    """Drop what workloads of this host left that are there no more; one that stays is told."""
    import psycopg

    with _session(cluster) as link:
        rows = link.execute(
            "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace "
            "WHERE starts_with(nspname, %s)", (PREFIX,),
        ).fetchall()
    for name, owner in rows:
        if _is_dead(owner):
            try:
                _drop_unless_used(cluster, name)
            except psycopg.Error as error:
                _log.warning("schema %s of a workload that was killed is left: %s",
                             name, _first(error))


def _drop_unless_used(cluster: Cluster, name: str) -> None:
    """A clone or a container may have this host's name, and not its processes."""
    with _session(cluster) as link:
        rows = link.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (name,)).fetchall()
        if rows[0][0]:
            _drop(link, name)


def _drop(link: "Link", name: str) -> None:
    from psycopg import sql

    link.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def _is_dead(owner: str | None) -> bool:
    """Whether the process is surely gone: of another host nobody here knows."""
    try:
        told = json.loads(owner or "")
        if told["host"] != host_name():
            return False
        is_there = told["boot"] == boot_id() and start_time(told["pid"]) == told["start"]
    except (ValueError, KeyError, TypeError):
        return False  # not ours, whatever its name
    return not is_there


def _drop_patiently(cluster: Cluster, name: str, clock: Clock) -> None:
    import psycopg

    until = clock.boottime() + _AWAY_SECONDS
    while True:
        try:
            with _session(cluster) as link:
                _drop(link, name)
            return
        except psycopg.Error as error:
            if clock.boottime() >= until:
                raise SpecError(
                    f"schema {name} is left: {_first(error)}",
                    where=f"connection {cluster.target}",
                    hint="the next workload on this host drops it",
                ) from error
            clock.sleep(_PAUSE)


@contextmanager
def _session(cluster: Cluster) -> Iterator["Link"]:
    """One transaction. A server that has stopped keeps nobody waiting, at COMMIT neither."""
    link = _connect(cluster)
    try:
        with hang_up(link.fileno(), _LIMIT_SECONDS):
            yield link
            link.commit()
    finally:
        link.pgconn.finish()  # asks nothing of the server, as a roll-back would


def _connect(cluster: Cluster) -> "Link":
    import psycopg

    return psycopg.connect(
        cluster.anywhere("read-write"), application_name=f"{OWN_NAME}-workload", connect_timeout=2,
        options=f"-c lock_timeout={round(_LIMIT_SECONDS * 500)}",
    )


def _first(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
