"""The schema of one workload: made for it, dropped after it, swept if it was killed."""

import json
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


@contextmanager
def own_schema(
    cluster: Cluster, tables: Sequence[LiteralString], clock: Clock
) -> Iterator[str]:
    """Make a schema with these tables and give its name; drop it in the end, whatever happened.

    Schemas of workloads that were killed on this host are dropped first. SpecError with the cure if
    it cannot be made.
    """
    import psycopg

    name = PREFIX + secrets.token_hex(4)
    try:
        with _session(cluster) as link:
            _sweep(link)
            _make(link, name, tables)
    except psycopg.Error as error:
        raise SpecError(
            f"the workload has no place to write to: {str(error).strip().partition(chr(10))[0]}",
            where=f"connection {cluster.target}",
            hint="a login that may CREATE in the database: GRANT CREATE ON DATABASE d TO login",
        ) from error
    try:
        yield name
    finally:
        _drop_patiently(cluster, name, clock)


def _make(link: "Link", name: str, tables: Sequence[LiteralString]) -> None:
    from psycopg import sql

    schema = sql.Identifier(name)
    owner = {"host": host_name(), "boot": boot_id(), "pid": os.getpid(),
             "start": start_time(os.getpid())}
    link.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    link.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, json.dumps(owner)))
    link.execute(sql.SQL("SET search_path TO {}").format(schema))
    for statement in tables:
        link.execute(statement)


def _sweep(link: "Link") -> None:
    """Drop what workloads of this host left that are there no more."""
    from psycopg import sql

    rows = link.execute(
        "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace "
        "WHERE starts_with(nspname, %s)", (PREFIX,),
    ).fetchall()
    for name, owner in rows:
        if _is_dead(owner):
            link.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


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
    from psycopg import sql

    until = clock.boottime() + _AWAY_SECONDS
    while True:
        try:
            with _session(cluster) as link:
                drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
                link.execute(drop.format(sql.Identifier(name)))
            return
        except psycopg.Error as error:
            if clock.boottime() >= until:
                raise SpecError(
                    f"schema {name} is left: {str(error).strip().partition(chr(10))[0]}",
                    where=f"connection {cluster.target}",
                    hint="the next workload on this host drops it",
                ) from error
            clock.sleep(_PAUSE)


@contextmanager
def _session(cluster: Cluster) -> Iterator["Link"]:
    import psycopg

    with psycopg.connect(
        cluster.anywhere("read-write"), application_name=f"{OWN_NAME}-workload", connect_timeout=2,
        options=f"-c lock_timeout={round(_LIMIT_SECONDS * 500)}",
    ) as link, hang_up(link.fileno(), _LIMIT_SECONDS):
        yield link
