"""An expired certificate on a real HAProxy, and a burst of reads that the audit log shows (F4)."""

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients.connections import connection
from holdfast.clients.haproxy import Door as Client
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults.security.expire_certificate import DRIVER as EXPIRE
from holdfast.faults.security.read_burst import DRIVER as BURST
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Verdict
from holdfast.probes.reads_audited import PROBE
from support.door import AUDIT, Api, Door
from support.waiting import wait_for

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("door")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("door")
    door, api = Door(home), Api(home)
    door.start()
    api.start()
    http = {"conn_type": "http", "host": "127.0.0.1", "port": api.port}
    bare = {**door.connection(), "extra": {
        **door.connection()["extra"], "authority_key": ""}}  # type: ignore[dict-item]
    write(home, {"tls": door.connection(), "bare": bare, "dumb": http, "api": http})
    yield home
    api.stop()
    door.stop()


def write(home: Path, entries: dict[str, object]) -> None:
    file = home / "connections.json"
    file.write_text(json.dumps(entries))
    file.chmod(0o600)


def fault(home: Path, link: str = "tls", **params: object) -> Fault:
    selector = {"tls": link, "http": "api", "audit": AUDIT}
    return Fault("security.x", "shop", selector, str(home), timedelta(seconds=5), params=params)  # type: ignore[arg-type]


def why_refused(home: Path) -> str:
    """What a client that verifies says; empty when it gets in."""
    there = connection(home / "connections.json", "tls")
    context = ssl.create_default_context(cafile=str(there.extra["authority"]))
    try:
        with socket.create_connection((there.host, there.port), timeout=3) as line, \
                context.wrap_socket(line, server_hostname="localhost"):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


def client(home: Path) -> Client:
    return Client.of(connection(home / "connections.json", "tls"))


@pytest.mark.parametrize(("link", "says"), [
    pytest.param("tls", "certificate has expired", id="signed-by-the-authority"),
    pytest.param("bare", "certificate signature failure", id="signed-by-itself"),
])
def test_a_client_that_verifies_is_told_why(link: str, says: str, home: Path) -> None:
    file = client(home).certificate
    before, served = Path(file).read_bytes(), client(home).served()
    recipe = EXPIRE.arm(fault(home, link), "L-1")
    EXPIRE.inject(recipe)
    try:
        assert why_refused(home) == says
    finally:
        EXPIRE.revert(recipe)
    assert why_refused(home) == ""
    assert (before, served) == (Path(file).read_bytes(), client(home).served())


def test_a_certificate_set_and_not_committed_is_forgotten(home: Path) -> None:
    recipe = EXPIRE.arm(fault(home), "L-1")
    door = client(home)
    from holdfast.faults.security import _certificate

    serial = int(str(recipe.undo["serial"]), 16)
    door._expect("Transaction", (
        f"set ssl cert {door.certificate} <<\n{_certificate.expired(door, serial).strip()}\n"))
    assert door.serial(transaction=True) == serial
    EXPIRE.revert(recipe)
    assert door.serial(transaction=True) is None
    assert why_refused(home) == ""


def test_an_expired_certificate_is_refused_at_arm(home: Path) -> None:
    recipe = EXPIRE.arm(fault(home), "L-1")
    EXPIRE.inject(recipe)
    try:
        with pytest.raises(FaultError, match="has ended already"):
            EXPIRE.targets(fault(home))
    finally:
        EXPIRE.revert(recipe)


def test_one_that_ended_by_itself_is_residue_too(home: Path) -> None:
    """Whoever put it there: the path is not as it was."""
    from holdfast.faults.security import _certificate

    recipe, door = EXPIRE.arm(fault(home), "L-1"), client(home)
    door.replace(_certificate.expired(door, 4711))
    try:
        assert "that ended" in EXPIRE.residue(recipe)[0]
    finally:
        door.replace(_certificate.original(door))
    assert list(EXPIRE.residue(recipe)) == []


def test_a_connection_that_says_nothing_of_haproxy_is_refused(home: Path) -> None:
    with pytest.raises(FaultError, match="dumb: the connection's extra has no 'socket'"):
        EXPIRE.targets(fault(home, "dumb"))


def test_a_door_that_is_not_there_is_refused_for_now(home: Path, tmp_path: Path) -> None:
    entry = json.loads((home / "connections.json").read_text())["tls"]
    entry["extra"]["socket"] = str(tmp_path / "none")
    write(tmp_path, {"tls": entry})
    with pytest.raises(TransientFaultError, match="its runtime socket does not answer"):
        EXPIRE.targets(fault(tmp_path))


def lines(home: Path, recipe: Recipe) -> int:
    reader = recipe.undo["reader"]
    return sum(json.loads(line)["reader"] == reader
               for line in (home / AUDIT).read_text().splitlines())


def test_reads_are_counted_and_audited_until_the_revert(home: Path) -> None:
    recipe = BURST.arm(fault(home, rate=100, accounts=3), "L-1")
    BURST.inject(recipe)
    wait_for(lambda: lines(home, recipe) > 5)
    BURST.revert(recipe)
    wait_for(lambda: not BURST.residue(recipe))
    finding = PROBE.observe({}, str(home), fault(home), recipe)
    assert finding.verdict is Verdict.HELD, finding.text
    assert finding.measured["answered"] == lines(home, recipe)


def test_a_burst_ends_after_its_number_of_reads(home: Path) -> None:
    """The limit that needs nobody."""
    recipe = BURST.arm(fault(home, rate=200, most=4), "L-2")
    BURST.inject(recipe)
    wait_for(lambda: not BURST.residue(recipe))
    assert lines(home, recipe) == 4
    BURST.revert(recipe)


def test_a_path_that_is_not_served_is_refused(home: Path) -> None:
    recipe = BURST.arm(fault(home, path="/money/{n}"), "L-3")
    with pytest.raises(FaultError, match="api: a read gave 404"):
        BURST.inject(recipe)
    BURST.revert(recipe)


@pytest.mark.parametrize(("audit", "says"), [
    pytest.param("/etc/passwd", "must lie below home", id="outside"),
    pytest.param("none.jsonl", "there is no such audit log", id="missing"),
])
def test_without_an_audit_log_there_is_no_burst(audit: str, says: str, home: Path) -> None:
    selector = {"http": "api", "audit": audit}
    wrong = Fault("security.x", "shop", selector, str(home), timedelta(seconds=5))
    with pytest.raises(FaultError, match=says):
        BURST.targets(wrong)
