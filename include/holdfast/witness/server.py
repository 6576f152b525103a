"""The witness's address: POST /add-checkpoint, GET /<origin hash>/checkpoint."""

import logging
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from holdfast.clock import SystemClock
from holdfast.errors import EvidenceError
from holdfast.evidence.witness import SIZE_TYPE, Refusal
from holdfast.witness.state import Witness

_log = logging.getLogger("holdfast.witness")
_MOST_BYTES = 64 * 2**10
_DIGITS = len(str(_MOST_BYTES))
_PLAIN = "text/plain; charset=utf-8"


def server(witness: Witness, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Make the server; `serve_forever` runs it. Port 0 takes a free one."""
    return ThreadingHTTPServer((host, port), partial(_Handler, witness))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10.0

    def __init__(self, witness: Witness, *connection: object) -> None:
        self._witness = witness
        super().__init__(*connection)  # type: ignore[arg-type]  # it answers at once

    def do_POST(self) -> None:
        """Answer a log."""
        size = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            self._refuse(404, "no such address")
        elif not size.isdecimal() or len(size) > _DIGITS or int(size) > _MOST_BYTES:
            self._refuse(400, f"a request says its length, at most {_MOST_BYTES} bytes")
        else:
            self._sign(self.rfile.read(int(size)))

    def do_GET(self) -> None:
        """Show the last head signed."""
        origin, _, what = self.path.strip("/").partition("/")
        found = self._witness.head(origin) if what == "checkpoint" else None
        if found is None:
            self._refuse(404, "no head of such a log")
        else:
            self._answer(200, found.decode())

    def _sign(self, body: bytes) -> None:
        try:
            line = self._witness.add_checkpoint(body, SystemClock().now())
        except Refusal as refusal:
            _log.warning("refused (%s): %s", refusal.status, refusal.why)
            if refusal.size is None:
                self._answer(refusal.status, f"{refusal.why}\n")
            else:
                self._answer(refusal.status, f"{refusal.size}\n", SIZE_TYPE)
        except (EvidenceError, OSError) as error:
            _log.error("cannot sign: %s", error)
            self._answer(500, f"the witness cannot sign: {error}\n")
        else:
            self._answer(200, str(line))

    def _refuse(self, status: int, why: str) -> None:
        """What may still be sent is not read: the connection ends."""
        self.close_connection = True
        self._answer(status, f"{why}\n")

    def _answer(self, status: int, text: str, kind: str = _PLAIN) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        """Nothing of a request goes to standard error."""
        _log.debug(format, *args)
