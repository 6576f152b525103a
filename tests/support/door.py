"""What users reach of the bench: an API that audits who reads accounts, and a door with TLS."""

import json
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shop import certificates
from shop.binaries import program
from shop.free_ports import choose
from shop.places import Places

AUDIT = "audit.jsonl"


class _Reads(BaseHTTPRequestHandler):
    server: "_Api"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = self.path.startswith("/accounts/")
        if found:
            self.server.note(self.headers["X-Reader"], self.path.rpartition("/")[2])
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Api(ThreadingHTTPServer):
    daemon_threads = True
    audit: Path

    def note(self, reader: str, account: str) -> None:
        line = {"at": time.time(), "reader": reader, "account": int(account), "api": "bench"}
        with self.audit.open("a") as log:
            log.write(json.dumps(line) + "\n")


class Api:
    """Accounts that may be read by anybody who says who he is."""

    def __init__(self, home: Path) -> None:
        self._server = _Api(("127.0.0.1", 0), _Reads)
        self._server.audit = home / AUDIT
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        self._server.audit.touch()
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def is_calm(self) -> bool:
        """Nobody reads."""
        before = self._server.audit.stat().st_size
        time.sleep(0.15)
        return before == self._server.audit.stat().st_size


class Door:
    """A real HAProxy with a certificate of the shop's kind."""

    def __init__(self, home: Path) -> None:
        self.places = Places(home)
        self._folder = home / "door"
        ports = choose(["tls"])
        self.port = ports["tls"]
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        if not self.places.certificate.exists():
            certificates.make(self.places)
        (self._folder / "cfg").write_text(
            "global\n stats socket unix@socket mode 600 level admin\n"
            "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
            f"frontend door\n bind 127.0.0.1:{self.port} ssl crt \"{self.places.certificate}\"\n"
            " http-request return status 200\n"
        )
        self._child = subprocess.Popen(
            [program("haproxy"), "-db", "-f", "cfg"], cwd=self._folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("ab"),
        )
        deadline = time.monotonic() + 10
        while not self.is_trusted():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def is_trusted(self) -> bool:
        """A client that verifies gets in."""
        context = ssl.create_default_context(cafile=self.places.authority)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line, \
                    context.wrap_socket(line, server_hostname="localhost"):
                return True
        except OSError:
            return False

    def connection(self) -> dict[str, object]:
        """As connections.json has it."""
        places = self.places
        return {"conn_type": "http", "host": "127.0.0.1", "port": self.port, "extra": {
            "socket": str(self._folder / "socket"), "certificate": str(places.certificate),
            "authority": str(places.authority), "authority_key": str(places.authority_key),
        }}

    def connection_nowhere(self) -> dict[str, object]:
        """The same door under another name than HAProxy knows."""
        entry = self.connection()
        return entry | {"extra": {**entry["extra"], "certificate": "nowhere.pem"}}  # type: ignore[dict-item]
