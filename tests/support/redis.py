"""One real Redis, a child of the test process; Debian's package `redis-server`."""

import json
import signal
import subprocess
from pathlib import Path

from holdfast.clients import redis
from holdfast.clients.connections import Connection, connection
from holdfast.errors import FaultError
from shop import certificates
from shop.free_ports import choose
from shop.places import Places
from support.waiting import wait_for

PASSWORD = "only-for-this-test"


class RedisServer:
    """It forgets all when it dies, or writes each command to the disk before it answers."""

    def __init__(self, folder: Path, *, durable: bool = False, tls: bool = False) -> None:
        self.port = choose(["redis"])["redis"]
        places = Places(folder)
        if tls:
            certificates.make(places)
        self._child: subprocess.Popen[bytes] | None = None
        self.connections = folder / "connections.json"
        self.connections.touch(mode=0o600)
        self.connections.write_text(json.dumps({"cache": {
            "conn_type": "redis", "host": "127.0.0.1", "port": self.port, "password": PASSWORD,
            "extra": {"ssl": "true", "ssl_ca": str(places.authority)} if tls else {},
        }}))
        self._file = folder / "redis.conf"  # a password is no argument
        self._file.touch(mode=0o600)
        self._file.write_text("\n".join([
            "bind 127.0.0.1", f"dir {folder}", 'save ""',
            *(["port 0", f"tls-port {self.port}", "tls-auth-clients no",
               f"tls-cert-file {places.certificate}", f"tls-key-file {places.certificate}"]
              if tls else [f"port {self.port}"]),
            f"requirepass {PASSWORD}",
            *(["appendonly yes", "appendfsync always"] if durable else ["appendonly no"]),
        ]))

    @property
    def entry(self) -> Connection:
        return connection(self.connections, "cache")

    def start(self) -> None:
        self._child = subprocess.Popen(
            ["redis-server", str(self._file)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers, 20)

    def answers(self) -> bool:
        try:
            return self.ask("PING") == "PONG"
        except FaultError:
            return False

    def ask(self, *words: object) -> object:
        with redis.connected(self.entry) as link:
            return redis.ask(link, *words)

    def keys(self) -> object:
        return self.ask("KEYS", "holdfast_*")

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def freeze(self, frozen: bool) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)
