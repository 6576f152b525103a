"""load.raise against a load's control in memory (F6)."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults import _patience
from holdfast.model.fault import Fault
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry

DRIVER: FaultDriver = Registry[FaultDriver]("faults", "DRIVER")["load.raise"]


class Load(HTTPServer):
    """Twenty requests a second without a raise; `jump` is what the counter grows a look."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.raises: dict[str, dict[str, float]] = {}
        self.jump: float | None = 1.0
        self.count, self.broken = 0.0, False


class _Handler(BaseHTTPRequestHandler):
    server: Load

    def do_GET(self) -> None:
        load = self.server
        if self.path == "/metrics":
            load.count += load.jump or 0.0
            text = "" if load.jump is None else f"shop_load_requests_total {load.count}\n"
            return self._answer(200, text)
        raises = [{"mark": m, "factor": r["factor"]} for m, r in load.raises.items()]
        rate = 20.0 * (raises[0]["factor"] if raises else 1)  # type: ignore[operator]
        return self._answer(200, json.dumps({"raises": raises, "rate": rate}))

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.raises[self.path.rpartition("/")[2]] = body
        self._answer(500 if self.server.broken else 200, "{}")

    def do_DELETE(self) -> None:
        if self.server.broken:
            return self._answer(500, "no")
        found = self.server.raises.pop(self.path.rpartition("/")[2], None)
        return self._answer(204 if found else 404, "")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    server = Load()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    link = {"conn_type": "http", "host": "127.0.0.1", "port": server.server_address[1]}
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"shop_load": link}))
    file.chmod(0o600)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fault(home: Path, **params: float) -> Fault:
    return Fault("load.raise", "shop", {"load": "shop_load"}, str(home), timedelta(seconds=5),
                 delay=timedelta(seconds=2), params=params)


def test_a_raise_bears_the_lease_and_a_limit_of_its_own(load: Load, tmp_path: Path) -> None:
    recipe = DRIVER.arm(fault(tmp_path, factor=4), "L1")
    DRIVER.inject(recipe)
    assert load.raises == {"holdfast-L1": {"factor": 4.0, "seconds": 37.0}}
    assert DRIVER.residue(recipe) == ["raise holdfast-L1 is on at shop_load"]
    DRIVER.revert(recipe)
    DRIVER.revert(recipe)
    assert not load.raises
    assert not DRIVER.residue(recipe)


def test_the_target_is_all_of_the_load(load: Load, tmp_path: Path) -> None:
    (target,) = DRIVER.targets(fault(tmp_path))
    assert (target.name, target.share) == ("shop_load (20 requests/s)", 1.0)


@pytest.mark.parametrize(("jump", "left"), [
    pytest.param(2.0, False, id="as-usual"),
    pytest.param(500.0, True, id="more-is-sent-than-the-list-explains"),
    pytest.param(None, False, id="it-does-not-count"),
])
def test_what_is_really_sent_is_counted(
    jump: float | None, left: bool, load: Load, tmp_path: Path
) -> None:
    recipe = DRIVER.arm(fault(tmp_path), "L1")
    load.jump = jump
    assert bool(DRIVER.residue(recipe)) is left


def test_beside_another_raise_the_count_says_nothing(load: Load, tmp_path: Path) -> None:
    load.raises["theirs"] = {"factor": 2.0}
    recipe = DRIVER.arm(fault(tmp_path), "L1")
    load.jump = 500.0
    assert recipe.undo["base"] == 20.0
    assert not DRIVER.residue(recipe)


def test_a_load_that_refuses_is_told(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_patience, "SECONDS", 0.0)
    recipe = DRIVER.arm(fault(tmp_path), "L1")
    load.broken = True
    with pytest.raises(FaultError, match="shop_load: the raise was refused"):
        DRIVER.inject(recipe)
    with pytest.raises(TransientFaultError, match="the raise stays"):
        DRIVER.revert(recipe)
