"""A real shop, or only its database, in a folder of its own, and surely gone afterwards."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.down import down
from shop.parts import ALL_PARTS, DATABASE_PARTS
from shop.processes import end, tree, wait_for
from shop.settled import Settled
from shop.status import answers, replication
from shop.up import up


@contextmanager
def whole_shop(home: Path, without: frozenset[str] = frozenset()) -> Iterator[Settled]:
    """Everything: load, HAProxy, two APIs, payment, proxies, two nodes, controller, Prometheus."""
    with _running(home, ALL_PARTS, without) as shop:
        yield shop


@contextmanager
def postgres_pair(home: Path, *, synchronous: bool = False) -> Iterator[Settled]:
    """A primary, its streaming standby, the controller and the proxy; connections are written."""
    with _running(home, DATABASE_PARTS, synchronous=synchronous) as shop:
        yield shop


def healed(shop: Settled, seconds: float = 20.0) -> bool:
    """Wait for one primary with a standby that streams from it, whichever is which."""

    def whole() -> bool:
        roles, streaming = replication(shop)
        return streaming and sorted(roles.values()) == ["primary", "standby"]

    return wait_for(whole, seconds, pause=0.1)


@dataclass(frozen=True)
class LoneProxy:
    """The proxy without a shop: what is sent to `port` comes back, late when a toxic says so."""

    control: str  # URL of the control API
    control_port: int
    port: int
    name: str = "database"


@contextmanager
def tcp_proxy(home: Path) -> Iterator[LoneProxy]:
    """Run the proxy in front of an echo server; `shop_proxy` is written to connections.json."""
    import subprocess
    import sys

    from shop.files import write_connections
    from shop.free_ports import choose
    from shop.parts import INCLUDE

    ports = choose(("listen", "control"))
    with _echo() as upstream:
        process = subprocess.Popen(
            [sys.executable, "-m", "shop.proxy", "database", f"127.0.0.1:{ports['listen']}",
             f"127.0.0.1:{ports['control']}", f"127.0.0.1:{upstream}"],
            cwd=INCLUDE,
        )
        try:
            control = ports["control"]
            lone = LoneProxy(f"http://127.0.0.1:{control}", control, ports["listen"])
            entry = {"conn_type": "http", "host": "127.0.0.1", "port": control,
                     "extra": {"proxy": "database"}}
            write_connections(home / "connections.json", {"shop_proxy": entry})
            assert wait_for(lambda: answers(f"{lone.control}/proxies"), 10)
            yield lone
        finally:
            end(tree(process.pid))
            process.wait()


@contextmanager
def _running(
    home: Path, parts: tuple[str, ...], without: frozenset[str] = frozenset(),
    *, synchronous: bool = False,
) -> Iterator[Settled]:
    try:
        up(home, parts, without, synchronous=synchronous)
        yield Settled.read(home)
    finally:
        down(home)


@contextmanager
def _echo() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(65536):
                client.sendall(data)
        except OSError:
            return
