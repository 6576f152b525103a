"""A bench of real targets, one for each kind of address, and observers that see them suffer."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from holdfast.clients import processes
from holdfast.clients.connections import Connection
from holdfast.clients.load import Load
from holdfast.clients.toxics import Trial, trial
from holdfast.model.fault import Fault, Setting
from shop.free_ports import choose
from shop.postgres import rights
from support import database
from support.database import Users
from support.disk import NAME as DISK
from support.disk import Disk
from support.door import AUDIT, Api, Door

QUICK: Mapping[str, float] = {"patience": 0.5, "latency": 0.2}
"""Parameters that a driver gets if it has them, so that tests are short."""

QUICK_FOR: Mapping[str, Mapping[str, float | str]] = {
    "postgres.terminate_connections": {"patience": 8.0},
    "postgres.lock_storm": {"table": "rows"},
    "security.read_burst": {"rate": 50},
    "postgres.corrupt_page": {"table": "pages"},
    "postgres.deadlock": {"table": "rows", "every": 0.0},
}
"""The same for one driver."""

STRONG: Mapping[str, Mapping[str, float]] = {
    "network.jitter": {"jitter": 60.0},
    "network.loss": {"loss": 1.0},
    "network.bandwidth": {"rate": 16},
    "process.kill": {"patience": 15},
    "process.crash_loop": {"steady": 0.3},
    "process.memory_pressure": {"share": 0.001, "most": 16},
    "load.raise": {"factor": 10},
}
"""Parameters of one driver, so that what is a matter of chance or of degree is surely felt."""

NO_EFFECT = frozenset({"noop"})
"""Drivers that touch nothing by design."""

_BEATS = """
import os, pathlib, select, sys, time
folder, depth = pathlib.Path(sys.argv[1]), 3
for beat in folder.iterdir():
    beat.unlink()
while depth and not os.fork():
    depth -= 1
    if depth == 1:
        os.setsid()
while True:
    try:
        (folder / f"beat-{os.getpid()}").write_text(f"{time.monotonic()} {time.time()}")
    except OSError:
        pass
    select.select([], [], [], 0.02)  # time.sleep fails under libfaketime
"""


class Tree:
    """A process with descendants, one of them in a session of its own, all of whom keep writing."""

    def __init__(self, home: Path, name: str) -> None:
        self.name, self._file, self._folder = name, home / "run" / f"{name}.pid", home / name
        self.program = _BEATS
        self._folder.mkdir()

    def job(self, pause: float) -> dict[str, object]:
        """What a supervisor is told: it starts a dead tree again after a pause."""
        command = [sys.executable, "-c", self.program, str(self._folder)]
        return {"name": self.name, "argv": command, "backoff_seconds": [pause]}

    def kill(self) -> None:
        for process in processes.tree(self._roots, processes.table()):
            processes.send(process, signal.SIGKILL)

    @property
    def pids(self) -> list[int]:
        return [p.pid for p in processes.tree(self._roots, processes.table())]

    def is_beating(self) -> bool:
        """All four write, with the right time."""
        try:
            before = {beat: beat.read_text() for beat in self._folder.iterdir()}
            wait_for(lambda: all(beat.read_text() != was for beat, was in before.items()), 1)
            times = [float((beat.read_text().split() or [0, 0])[-1]) for beat in before]
        except (TimeoutError, FileNotFoundError):
            return False
        return len(before) == 4 and all(abs(seen - time.time()) < 3600 for seen in times if seen)

    @property
    def _roots(self) -> list[int]:
        return [int(self._file.read_text())] if self._file.exists() else []


class Kept:
    """The demo shop's supervisor over the trees."""

    def __init__(self, home: Path, trees: list[Tree], pause: float = 0.3) -> None:
        self._home, self._trees, self._pause = home, trees, pause
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool] | None = None) -> None:
        """Begin; return when all beat, or are ready in another sense."""
        spec = self._home / "supervisor.json"
        spec.write_text(json.dumps({
            "run_dir": str(self._home / "run"), "log_dir": str(self._home / "logs"),
            "processes": [tree.job(self._pause) for tree in self._trees],
        }))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "shop.supervisor", str(spec)], start_new_session=True,
            stdout=(self._home / "supervisor.log").open("ab"))
        wait_for(ready or (lambda: all(map(Tree.is_beating, self._trees))), 30)

    def hold(self, number: signal.Signals) -> None:
        """Stop the supervisor, or let it go on."""
        if self._child is not None:
            self._child.send_signal(number)

    def stop(self) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait()


def _workers() -> list[int]:
    """Processes that give way to everybody: niced to the end, or the first to go without memory."""
    found = []
    for pid in processes.table():
        try:
            nice = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16])
            score = int(Path(f"/proc/{pid}/oom_score_adj").read_text())
            words = processes.arguments(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (nice == 19 or score == 1000) and LEASE_WORD in " ".join(words):
            found.append(pid)
    return found


LEASE_WORD = "L-0a1"
"""How the leases of these tests begin, so that other workers of this host are not counted."""


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
        _program("initdb", "-D", str(self.a.folder), "-U", "postgres", "--pwfile", str(secret),
                 "--data-checksums", "-N", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256")
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
        _program("pg_basebackup", "-D", str(self.b.folder), "-d", source, "-X", "stream", "-C",
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


class Relay:
    """The demo shop's TCP proxy in front of the pair's first node."""

    def __init__(self, folder: Path, upstream: int) -> None:
        ports = choose(["control", "listen"])
        self.control, self.listen = ports["control"], ports["listen"]
        self._upstream, self._log = upstream, folder / "relay.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        addresses = [f"127.0.0.1:{p}" for p in (self.listen, self.control, self._upstream)]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "shop.proxy", "database", *addresses],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log.open("ab"),
        )
        wait_for(lambda: self._trial(self.listen).outcome == "answered", 30)

    def is_quick(self) -> bool:
        """One of three new connections gets what it would get without the proxy, and soon."""
        seen = [self._trial(self.listen) for _ in range(3)]
        if self._trial(self._upstream).outcome != "answered":
            return True  # nobody behind it is not the proxy's fault
        return any(s.answer == b"N" and s.seconds < 0.1 for s in seen)

    def carries(self, password: str) -> bool:
        """50 kB come through, and the end of the connection after it, within two seconds."""
        begun = time.monotonic()
        try:
            with psycopg.connect(
                host="127.0.0.1", port=self.listen, user="postgres", password=password,
                dbname="postgres", connect_timeout=2, options="-c statement_timeout=1000",
            ) as link:
                link.execute("SELECT repeat('x', 50000)")
        except psycopg.Error:
            return trial(f"127.0.0.1:{self._upstream}", 1.0) == Trial("refused")
        return time.monotonic() - begun < 2.0 and self._ends()

    def _ends(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.listen), timeout=0.5) as link:
            link.shutdown(socket.SHUT_WR)
            try:
                return link.recv(1) == b""
            except TimeoutError:
                return False

    def _trial(self, port: int) -> Trial:
        seen = trial(f"127.0.0.1:{port}", 1.0)
        assert seen is not None
        return seen

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()


_LOAD = """
import asyncio, sys
from aiohttp import web
from shop.load.control import Control
from shop.load.figures import Figures
from shop.load.raises import Raises
async def main():
    figures, raises = Figures(), Raises()
    runner = web.AppRunner(Control(figures, raises, 50.0).app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    while True:
        await asyncio.sleep(0.02)
        for _ in range(round(raises.factor())):
            figures.done("order", "ok", 0.0)
asyncio.run(main())
"""


class Customers:
    """The demo shop's load control, over customers who only count."""

    def __init__(self, folder: Path) -> None:
        self.port = choose(["load"])["load"]
        self._log = folder / "load.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", _LOAD, str(self.port)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self._log.open("ab"))
        wait_for(lambda: trial(f"127.0.0.1:{self.port}", 1.0) != Trial("refused"), 15)

    def are_usual(self) -> bool:
        """As many as ever come."""
        link = Connection("bench_load", "http", "127.0.0.1", self.port)
        before = Load(link).sent() or 0.0
        time.sleep(0.2)
        return (Load(link).sent() or 0.0) - before < 20

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()


class Bench:
    """All targets, with the connections file that leads to them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "data").mkdir()
        self.trees = [Tree(home, name) for name in ("app-1", "app-2")]
        self.kept = Kept(home, self.trees, pause=3.0)  # so that a dead tree can be seen
        self.customers = Customers(home)
        self.pair = Pair(home / "data")
        self.relay = Relay(home, self.pair.a.port)
        self.users = Users((self.pair.a.port, self.pair.b.port), self.pair.password)
        self.api, self.door, self.disk = Api(home), Door(home), Disk(home)
        with ExitStack() as on_failure:
            on_failure.callback(self.stop)
            self.kept.start()
            self.customers.start()
            self.pair.build()
            self.relay.start()
            self.users.start()
            self.api.start()
            self.door.start()
            self.disk.start()
            self._write_connections()
            on_failure.pop_all()

    @property
    def password(self) -> str:
        return self.pair.password

    def fault(self, name: str, params: Mapping[str, Setting], **more: Any) -> Fault:
        """A fault with every kind of address: the driver takes the one it needs."""
        known = {**QUICK, **QUICK_FOR.get(name, {})}
        quick = {key: value for key, value in known.items() if key in params}
        home, duration = str(self.home), timedelta(seconds=5)
        params_of_one = {**quick, **STRONG.get(name, {}), **more}
        return Fault(name, "bench", _HERE, home, duration, params=params_of_one)

    def fault_nowhere(self, name: str) -> Fault:
        """The same with addresses where nothing is."""
        return Fault(name, "bench", _NOWHERE, str(self.home), timedelta(seconds=5))

    def suffering(self) -> set[str]:
        """What does not work now, as its users see it."""
        observers: dict[str, Callable[[], bool]] = {
            "processes": lambda: all(map(Tree.is_beating, self.trees)),
            "host": lambda: not _workers(),
            "load": self.customers.are_usual,
            "path": lambda: self.relay.is_quick() and self.relay.carries(self.password),
            "writes": self.pair.takes_writes,
            "accounts": self.api.is_calm,
            "door": self.door.is_trusted,
            "disk": self.disk.can_be_written,
            "replication": self.pair.replicates,
        } | dict(self.users.observers())
        return {name for name, works in observers.items() if not works()}

    def fingerprint(self) -> object:
        """What a driver that promises to touch nothing must leave as it is."""
        settings = "SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings"
        return (
            [(pid, p.is_stopped) for tree in self.trees for pid in tree.pids
             if (p := processes.look(pid))],
            [self.pair.ask(s, settings) for s in (self.pair.a, self.pair.b)],
            sorted(f.name for f in self.home.iterdir()),
        )

    def restart(self) -> None:
        """Restart every target, as its own supervisor might."""
        for tree in self.trees:
            tree.kill()
        self.pair.restart()
        for part in (self.relay, self.customers):
            part.stop()
            part.start()
        for other in (self.door, self.disk):
            other.stop()
            other.start()
        self.users.settle()

    def stop(self) -> None:
        upper = (self.api, self.door, self.disk, self.users, self.kept, self.customers)
        for part in (*upper, self.relay, self.pair):
            part.stop()

    def _write_connections(self) -> None:
        http = {"conn_type": "http", "host": "127.0.0.1"}
        proxy = http | {"extra": {"proxy": "database"}}
        database = {"conn_type": "postgres", "host": "127.0.0.1", "login": "postgres",
                    "password": self.password, "schema": "postgres"}
        own_role = {"role": "app"}
        nodes = [{"name": n, "host": "127.0.0.1", "port": s.port}
                 for n, s in (("a", self.pair.a), ("b", self.pair.b))]
        gone = [{"name": n, "host": "127.0.0.1", "port": p} for n, p in choose("ab").items()]
        file = self.home / "connections.json"
        file.write_text(json.dumps({
            "bench_db": database | {"port": self.pair.a.port, "extra": {"nodes": nodes} | own_role},
            "nowhere_db": database | {"port": gone[0]["port"], "extra": {"nodes": gone}},
            "bench_proxy": proxy | {"port": self.relay.control},
            "bench_load": http | {"port": self.customers.port},
            "nowhere_load": http | {"port": gone[0]["port"]},
            "bench_tls": self.door.connection(),
            "nowhere_tls": self.door.connection_nowhere(),
            "bench_http": {"conn_type": "http", "host": "127.0.0.1", "port": self.api.port},
            "nowhere_http": {"conn_type": "http", "host": "127.0.0.1", "port": gone[0]["port"]},
            "nowhere_proxy": proxy | {"port": self.relay.control, "extra": {"proxy": "nowhere"}},
        }))
        file.chmod(0o600)


_HERE = {"process": "run/app-1.pid", "postgres": "bench_db", "proxy": "bench_proxy",
         "load": "bench_load", "environment": "env/app-1.env",
         "tls": "bench_tls", "http": "bench_http", "audit": AUDIT,
         "disk": DISK}
_NOWHERE = {"process": "run/none-*.pid", "postgres": "nowhere_db", "proxy": "nowhere_proxy",
            "load": "nowhere_load", "environment": "env/none.env",
            "tls": "nowhere_tls", "http": "nowhere_http", "audit": AUDIT,
            "disk": "disk/none"}


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until it is true; TimeoutError if it does not become so."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)


def _program(name: str, *arguments: str) -> None:
    subprocess.run(rights.command(name, *arguments), env=rights.environment(), cwd="/",
                   stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
