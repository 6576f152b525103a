"""Read account after account, as somebody with a stolen key would; the audit log must show it."""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, cast

from holdfast.clients.connections import Connection, connection
from holdfast.clients.postgres import OWN_NAME
from holdfast.errors import FaultError, TransientFaultError
from holdfast.faults._selector import address, number
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_TIMEOUT = 3.0
_MARGIN = 15.0
_LEAST_LOOK = 0.4
_PATH = "/accounts/{n}"
_STOPS: dict[str, threading.Event] = {}
"""What this process reads, by reader."""


@dataclass(frozen=True, slots=True)
class _Undo:
    """The recipe's plain data, read back. `counted` grows by a byte with each answer."""

    home: str
    connection: str
    audit: str
    reader: str
    counted: str
    path: str
    rate: int
    accounts: int
    most: int
    limit: float

    @classmethod
    def of(cls, recipe: Recipe) -> "_Undo":
        return cls(**cast("dict[str, Any]", recipe.undo))

    @property
    def api(self) -> Connection:
        return connection(Path(self.home) / "connections.json", self.connection)


class ReadBurstDriver:
    """Read accounts through the public API under a name made of the lease, so many a second.

    It ends after a number of reads too; who reads is told in the header X-Reader.
    """

    effect = Effect.HELD
    address = "http"
    params: Mapping[str, Setting] = {
        "rate": Setting("integer", 20, "reads a second", low=1, high=200),
        "most": Setting("integer", 1000, "reads in all", low=1, high=100_000),
        "accounts": Setting("integer", 100, "the accounts are 1 to this", low=1, high=1_000_000),
        "path": Setting("text", _PATH, "what is read; {n} is the account"),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The API; refuse one that nobody serves, or without an audit log to look at."""
        _find(fault)
        return [Target(f"accounts of {address(fault, 'http')}", fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember where to read and where that must be seen."""
        audit = _find(fault)
        undo = _Undo(
            fault.home, address(fault, "http"), str(audit), f"{OWN_NAME}-{lease_id}",
            str(Path(fault.home) / "reads" / lease_id), str(fault.params.get("path") or _PATH),
            int(number(fault, "rate", 20)), int(number(fault, "accounts", 100)),
            int(number(fault, "most", 1000)), fault.duration.total_seconds() + _MARGIN,
        )
        return Recipe(lease_id, fault.type, asdict(undo))

    def inject(self, recipe: Recipe) -> None:
        """Read once, then go on in a thread that lives as long as this process."""
        undo = _Undo.of(recipe)
        if undo.reader in _STOPS:
            return
        stop = _STOPS[undo.reader] = threading.Event()
        burst = _Burst(undo)
        try:
            if status := burst.refused():
                raise FaultError(f"a read gave {status}", target=undo.connection)
        except (OSError, HTTPException) as error:
            raise TransientFaultError(f"a read failed: {error}", target=undo.connection) from error
        threading.Thread(target=burst.go_on, args=(stop,), daemon=True).start()

    def revert(self, recipe: Recipe) -> None:
        """Stop the thread if it is in this process; in any other it has died with it."""
        stop = _STOPS.pop(_Undo.of(recipe).reader, None)
        if stop is not None:
            stop.set()

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """New lines of this reader in the audit log, for as long as three reads would take."""
        undo = _Undo.of(recipe)
        audit = Path(undo.audit)
        try:
            before = audit.stat().st_size
            time.sleep(max(_LEAST_LOOK, 3 / undo.rate))
            with audit.open("rb") as log:
                log.seek(before)
                lines = log.read().splitlines()
        except OSError as error:
            text = f"the audit log cannot be read: {error.strerror}"
            raise FaultError(text, target=undo.audit) from error
        new = sum(_reader(line) == undo.reader for line in lines)
        return [f"{new} new reads of {undo.reader} in {audit.name}"] if new else []


class _Burst:
    """One connection that reads account after account."""

    def __init__(self, undo: _Undo) -> None:
        self._undo, self._done = undo, 0
        self._http = HTTPConnection(undo.api.host, undo.api.port, timeout=_TIMEOUT)
        counted = Path(undo.counted)
        counted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._counted = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def refused(self) -> int:
        """Read the next account; the status if it was not 200, else 0."""
        account = self._done % self._undo.accounts + 1
        self._done += 1
        path = self._undo.path.replace("{n}", str(account))
        self._http.request("GET", path, headers={"X-Reader": self._undo.reader})
        answer = self._http.getresponse()
        answer.read()
        if answer.status != 200:
            return answer.status
        os.write(self._counted, b".")
        return 0

    def go_on(self, stop: threading.Event) -> None:
        """Read until told to stop or the limits are reached; a read that fails is not counted."""
        until = time.monotonic() + self._undo.limit
        while self._done < self._undo.most and time.monotonic() < until:
            if stop.wait(1 / self._undo.rate):
                break
            try:
                self.refused()
            except (OSError, HTTPException):
                self._http.close()  # the next one connects anew
        self._http.close()
        os.close(self._counted)


def _find(fault: Fault) -> Path:
    """The audit log, which must be there; so must somebody who listens."""
    link = address(fault, "http")
    api = connection(Path(fault.home) / "connections.json", link)
    try:
        socket.create_connection((api.host, api.port), timeout=_TIMEOUT).close()
    except OSError as error:
        raise FaultError(f"nobody answers: {error}", target=link) from error
    relative = address(fault, "audit")
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise FaultError("an audit log must lie below home", target=relative)
    audit = Path(fault.home) / relative
    if not audit.is_file():
        raise FaultError("there is no such audit log", target=relative)
    return audit


def _reader(line: bytes) -> str:
    try:
        return str(json.loads(line)["reader"])
    except (ValueError, KeyError, TypeError):  # half a line, or another format
        return ""


DRIVER: FaultDriver = ReadBurstDriver()
