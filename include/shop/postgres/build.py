"""Make the data of a node: from nothing, as a copy of the primary, or wound back to follow it."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from shop.files import write
from shop.postgres import rights
from shop.postgres.configuration import slot, source, write_configuration
from shop.settled import API_ROLE, DATABASE, HOST, LEDGER_ROLE, USER, Settled, other

_SCHEMA = Path(__file__).with_name("schema.sql")
_LIMIT_SECONDS = 60


def create(shop: Settled, node: str) -> None:
    """Make an empty cluster whose superuser has the shop's password."""
    folder = _empty(shop, node)
    secret = shop.places.data(f"{node}.secret")
    write(secret, shop.password + "\n", mode=0o600)
    rights.hand_over([secret])
    try:
        _run(
            "initdb", "-D", str(folder), "-U", USER, "--pwfile", str(secret), "--data-checksums",
            "-N", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256",
        )  # fmt: skip
    finally:
        secret.unlink()
    write_configuration(shop, node, standby=False)


def fill(shop: Settled, node: str) -> None:
    """Create the shop's database and tables in a new primary."""
    port = shop.node_port(node)
    with psycopg.connect(shop.conninfo(port, "build", "postgres"), autocommit=True) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            return
        server.execute(f"CREATE DATABASE {DATABASE}_new")
        with psycopg.connect(shop.conninfo(port, "build", f"{DATABASE}_new")) as database:
            database.execute(_SCHEMA.read_bytes())
            _let_in(database, shop.password)
        server.execute(f"ALTER DATABASE {DATABASE}_new RENAME TO {DATABASE}")


def _let_in(database: psycopg.Connection[TupleRow], password: str) -> None:
    """Create the roles of the APIs and of workloads, with what they need."""
    role, ledger = sql.Identifier(API_ROLE), sql.Identifier(LEDGER_ROLE)
    for statement in (
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)),
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(ledger, sql.Literal(password)),
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(
            sql.Identifier(database.info.dbname), ledger),
        sql.SQL("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {}").format(role),
    ):
        database.execute(statement)


def copy(shop: Settled, node: str) -> None:
    """Make a standby as a full copy of the primary."""
    _prepare_primary(shop, node)
    folder = _empty(shop, node)
    _run(
        "pg_basebackup", "-D", str(folder), "-d", source(shop, node), "-X", "stream",
        "-S", slot(node), "-c", "fast", "-N",
    )  # fmt: skip
    write_configuration(shop, node, standby=True)


def rewind(shop: Settled, node: str) -> None:
    """Wind a former primary back to where the new one took over, and make it a standby."""
    _prepare_primary(shop, node, checkpoint=True)
    folder = shop.places.data(node)
    _run("pg_rewind", "-D", str(folder), "--source-server", source(shop, node), "-N")
    for left_over in (folder / "pg_replslot").iterdir():
        shutil.rmtree(left_over)  # slots of its time as primary would keep WAL for nobody
    write_configuration(shop, node, standby=True)


def require_primary(shop: Settled, node: str) -> None:
    """Refuse while the other node is still a standby: what joins it then follows the old line."""
    port = shop.node_port(other(node))
    with psycopg.connect(shop.conninfo(port, "build", "postgres"), autocommit=True) as there:
        row = there.execute("SELECT pg_is_in_recovery()").fetchone()
    if row is None or row[0]:
        raise psycopg.OperationalError(f"{other(node)} is not promoted yet")


def write_passwords(shop: Settled) -> None:
    """Write libpq's password file, so that no command line and no setting holds the password."""
    shop.places.passwords.parent.mkdir(parents=True, exist_ok=True)
    write(shop.places.passwords, f"{HOST}:*:*:{USER}:{shop.password}\n", mode=0o600)
    rights.hand_over([shop.places.passwords])


def _prepare_primary(shop: Settled, node: str, checkpoint: bool = False) -> None:
    port = shop.node_port(other(node))
    with psycopg.connect(shop.conninfo(port, "build", "postgres"), autocommit=True) as primary:
        primary.execute(
            "SELECT pg_create_physical_replication_slot(%(slot)s, true) WHERE NOT EXISTS "
            "(SELECT 1 FROM pg_replication_slots WHERE slot_name = %(slot)s)",
            {"slot": slot(node)},
        )
        if checkpoint:  # pg_rewind reads the new timeline from the control file
            primary.execute("CHECKPOINT")


def _empty(shop: Settled, node: str) -> Path:
    folder = shop.places.data(node)
    if folder.is_mount():  # it cannot go, what is in it can
        for entry in folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    rights.hand_over([folder])
    return folder


def _run(name: str, *arguments: str) -> None:
    subprocess.run(
        rights.command(name, *arguments),
        env=rights.environment(),
        cwd=os.sep,
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=_LIMIT_SECONDS,
    )
