"""A PostgreSQL primary with a streaming standby, children of the test process."""

import secrets
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import psycopg

from holdfast.clients import processes
from shop.free_ports import choose
from shop.postgres import rights
from support import database
from support.waiting import wait_for

QUICK_LOGIN = ("-c", "scram_iterations=1")
"""Observers log in many times a second; what a password costs to guess matters to nobody here."""


class Server:
    """One PostgreSQL node, a child of this process."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def start(self) -> None:
        child = subprocess.Popen(
            rights.command("postgres", "-D", str(self.folder), "-p", str(self.port)),
            env=rights.environment(), cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("ab"),
        )
        threading.Thread(target=child.wait, daemon=True).start()  # no zombie may hold the pid

    def stop(self) -> None:
        for process in processes.working_in(str(self.folder)):
            processes.send(process, signal.SIGKILL)
        wait_for(lambda: not processes.working_in(str(self.folder)))
        # A killed postmaster that nobody has reaped yet would look alive to the next one.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)


class Pair:
    """A primary and a streaming standby."""

    def __init__(self, folder: Path) -> None:
        ports = choose("ab")
        self.password = secrets.token_urlsafe(18)
        self.a, self.b = (Server(folder / name, ports[name]) for name in "ab")
        self._folder = folder

    def ask(self, server: Server, question: str, *values: object) -> Any:
        with psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", password=self.password,
            dbname="postgres", autocommit=True, connect_timeout=2,
            options="-c lock_timeout=500",
        ) as link:
            cursor = link.execute(question, values or None)  # type: ignore[call-overload]
            return cursor.fetchone()[0] if cursor.description else None

    def primary(self) -> Server | None:
        for server in (self.a, self.b):
            try:
                if not self.ask(server, "SELECT pg_is_in_recovery()"):
                    return server
            except psycopg.OperationalError:
                continue
        return None

    def takes_writes(self) -> bool:
        server = self.primary()
        try:
            return server is not None and bool(self.write(server))
        except psycopg.OperationalError:
            return False

    def write(self, server: Server) -> str:
        key = secrets.token_hex(8)
        self.ask(server, "INSERT INTO rows VALUES (%s)", key)
        return key

    def has(self, server: Server, key: str) -> bool:
        return bool(self.ask(server, "SELECT count(*) FROM rows WHERE key = %s", key))

    def replicates(self) -> bool:
        """A new row reaches the standby."""
        source = self.primary()
        if source is None:
            return False
        try:
            other, key = self.b if source is self.a else self.a, self.write(source)
            wait_for(lambda: self.has(other, key), 0.5)
        except (TimeoutError, psycopg.OperationalError):
            return False
        return True

    def promote(self, server: Server) -> None:
        self.ask(server, "SELECT pg_promote(true, 10)")

    def is_streaming(self) -> bool:
        source = self.primary()
        question = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        return source is not None and self.ask(source, question) > 0

    def restart(self) -> None:
        for server in (self.a, self.b):
            server.stop()
        for server in (self.a, self.b):
            server.start()
        wait_for(self.is_streaming, 30)

    def stop(self) -> None:
        for server in (self.b, self.a):
            server.stop()

    def build(self) -> None:
        folder = self._folder
        secret, passfile = folder / "secret", folder / "passfile"
        secret.write_text(self.password)
        passfile.write_text(f"127.0.0.1:*:*:postgres:{self.password}\n")
        passfile.chmod(0o600)
        for server in (self.a, self.b):
            server.folder.mkdir(mode=0o700)
        rights.hand_over([secret, passfile, self.a.folder, self.b.folder])
        program("initdb", "-D", str(self.a.folder), "-U", "postgres", "--pwfile", str(secret),
                 "--data-checksums", "-N", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256",
                 *QUICK_LOGIN)
        secret.unlink()
        with (self.a.folder / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
        self.a.start()
        wait_for(lambda: self.primary() is self.a, 30)
        self.ask(self.a, "CREATE TABLE rows (key text PRIMARY KEY)")
        self.ask(self.a, f"CREATE ROLE app LOGIN PASSWORD '{self.password}'")
        for statement in database.SCHEMA:
            self.ask(self.a, statement)
        source = f"host=127.0.0.1 port={self.a.port} user=postgres passfile={passfile}"
        program("pg_basebackup", "-D", str(self.b.folder), "-d", source, "-X", "stream", "-C",
                 "-S", "node_b", "-R", "-c", "fast", "-N")
        self.b.start()
        wait_for(self.is_streaming, 30)


_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 16MB
max_connections = 30
wal_keep_size = 128MB
wal_retrieve_retry_interval = 500ms
fsync = off
"""


def program(name: str, *arguments: str) -> None:
    subprocess.run(rights.command(name, *arguments), env=rights.environment(), cwd="/",
                   stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
