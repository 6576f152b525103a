"""One PostgreSQL as a store that machines share, a child of the test process."""

import secrets
from pathlib import Path
from typing import Any

import psycopg

from holdfast.clients.connections import write_connection
from holdfast.settings import Settings
from holdfast.stores import _database
from shop.free_ports import choose
from shop.postgres import rights
from support import pair
from support.waiting import wait_for

ID = "store_db"


class StoreServer(pair.Server):
    """A server whose login `holdfast` owns a database and may do nothing else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, choose("s")["s"])
        self.password = secrets.token_urlsafe(18)

    def build(self) -> None:
        secret = self.folder.with_name("secret")
        secret.write_text(self.password)
        self.folder.mkdir(mode=0o700)
        rights.hand_over([secret, self.folder])
        pair.program("initdb", "-D", str(self.folder), "-U", "postgres", "--pwfile", str(secret),
                     "-N", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256",
                     *pair.QUICK_LOGIN)
        secret.unlink()
        with (self.folder / "postgresql.conf").open("a") as settings:
            settings.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                           "shared_buffers = 64MB\nmax_connections = 300\nfsync = off\n")
        self.start()
        wait_for(self.answers, 30)
        self.ask(f"CREATE ROLE holdfast LOGIN PASSWORD '{self.password}'", database="postgres")
        self.ask("CREATE DATABASE holdfast OWNER holdfast", database="postgres")

    def answers(self) -> bool:
        try:
            return bool(self.ask("SELECT true", database="postgres"))
        except psycopg.OperationalError:
            return False

    def ask(self, statement: str, *values: object, database: str = "holdfast") -> Any:
        """The first value of a statement's first row, as the superuser."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=self.password,
            dbname=database, autocommit=True, connect_timeout=2,
            options="-c search_path=holdfast",
        ) as link:
            cursor = link.execute(statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchone()[0] if cursor.description else None

    def clear(self) -> None:
        """As new."""
        self.ask("DROP SCHEMA IF EXISTS holdfast CASCADE")
        _database.engine.cache_clear()

    def settings(self, home: Path) -> Settings:
        """Those of a machine that has this store."""
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_connection(home / "connections.json", ID, {
            "conn_type": "postgres", "host": "127.0.0.1", "port": self.port, "login": "holdfast",
            "password": self.password, "schema": "holdfast",
        })
        return Settings(home, home / "experiments", store=ID)
