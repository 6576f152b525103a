"""A bench of real targets, one for each kind of address, and observers that see them suffer."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
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
from support.database import Users
from support.disk import NAME as DISK
from support.disk import Disk
from support.door import AUDIT, Api, Door
from support.pair import Pair
from support.trees import Kept, Tree
from support.waiting import wait_for

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
        if (nice == 19 or score == 1000) and LEASES.search(" ".join(words)):
            found.append(pid)
    return found


_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
LEASE, OTHER = f"L-0a1B{_WORKER}", f"L-0a1C{_WORKER}"
"""The leases of these tests: a mark is seen on the whole host, and no two workers have the same."""
LEASES = re.compile(rf"\bL-0a1[BC]{_WORKER}\b")


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
                autocommit=True,
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
        self._looks = ThreadPoolExecutor(16)
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
        # side by side: each of them waits more than it works
        answers = self._looks.map(lambda works: works(), observers.values())
        return {name for name, works in zip(observers, answers, strict=True) if not works}

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
        self._looks.shutdown()

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
