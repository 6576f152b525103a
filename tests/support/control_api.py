"""A control API of a TCP proxy in memory, served over real HTTP, and a path with a set delay."""

import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class ControlApi(HTTPServer):
    """One proxy named `database`; `toxics` and `metrics` may be looked at and set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.toxics: dict[str, Any] = {}
        self.listen, self.upstream, self.metrics = "127.0.0.1:9", "127.0.0.1:9", ""
        self.version: object = {"version": "2.9.0"}
        self.broken = False


class _Handler(BaseHTTPRequestHandler):
    server: ControlApi

    def do_GET(self) -> None:
        api = self.server
        if self.path == "/metrics" and api.metrics:
            return self._answer(200, api.metrics)
        if self.path == "/version":
            return self._answer(200, api.version)
        if self.path != "/proxies/database":
            return self._answer(404, {})
        toxics = [{"name": name} for name in api.toxics]
        return self._answer(200, {"listen": api.listen, "upstream": api.upstream, "toxics": toxics})

    def do_POST(self) -> None:
        toxic = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.broken:
            return self._answer(500, {"error": "broken"})
        status = 409 if toxic["name"] in self.server.toxics else 200
        self.server.toxics.setdefault(toxic["name"], toxic)
        return self._answer(status, toxic)

    def do_DELETE(self) -> None:
        if self.server.broken:
            return self._answer(500, {"error": "broken"})
        found = self.server.toxics.pop(self.path.rpartition("/")[2], None)
        return self._answer(204 if found else 404, "")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: object) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def control_api() -> Iterator[ControlApi]:
    """Serve it."""
    with _served(ControlApi()) as api:
        yield api


@contextmanager
def slow_answers(seconds: float, answer: bytes | None = b"N") -> Iterator[str]:
    """An address where one byte comes back after some time; None resets instead."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(8)
            time.sleep(seconds)
            if answer is None:
                at_once = struct.pack("ii", 1, 0)
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                self.request.close()
            else:
                self.request.sendall(answer)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _served(server) as served:
        yield "{}:{}".format(*served.server_address)


@contextmanager
def _served(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
