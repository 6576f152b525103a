"""The keeper's other process: it injects, and stays to revert should the parent die."""

import json
import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from holdfast.clock import Clock
from holdfast.errors import HoldfastError
from holdfast.keeper.machine import FRESH_SECONDS

_TICK = 0.25
GONE_SECONDS = 2.0


class Child:
    """The parent's end of the line: tell, hear, kill."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid, self._line = pid, line
        self._heard = b""
        self.alive = True
        self.injected: str | None = None
        self.injected_at: float | None = None
        line.setblocking(False)

    def wait(self, seconds: float) -> None:
        """Wait for a report or the child's death, at most so long, and take it in."""
        if not self.alive:
            return
        if select.select([self._line], [], [], seconds)[0]:
            self._hear()

    def beat(self) -> None:
        """A sign of life of the parent."""
        self._tell(b"\n")

    def inject(self, renewed_at: float) -> None:
        """Tell the child to inject; it refuses if the renewal of that time is old by then."""
        self._tell(f"{renewed_at!r}\n".encode())

    def kill(self) -> None:
        """Kill the child with everything it has started, and wait until it is gone."""
        self.alive = False
        if not self.pid:
            return
        handle = os.pidfd_open(self.pid)
        try:
            with suppress(ProcessLookupError):  # it has made no group of its own yet
                os.killpg(self.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            if select.select([handle], [], [], GONE_SECONDS)[0]:
                os.waitpid(self.pid, 0)
                self.pid = 0
        finally:
            os.close(handle)

    def _tell(self, message: bytes) -> None:
        try:
            self._line.send(message)
        except BlockingIOError:
            return  # it is stopped, and will be killed as it is
        except (BrokenPipeError, ConnectionResetError):
            self.alive = False

    def _hear(self) -> None:
        try:
            said = self._line.recv(65536)
        except ConnectionResetError:
            said = b""
        if not said:
            self.alive = False
        self._heard += said
        if b"\n" in self._heard:
            report = json.loads(self._heard.partition(b"\n")[0])
            self.injected, self.injected_at = report["why"], report["at"]


def attend(
    line: socket.socket, inject: Callable[[], None], patience: float, clock: Clock
) -> None:
    """Live as the child: inject when told; return once the parent is gone or silent for too long.

    `patience` is counted while this process is awake, so that after a suspend of both the parent,
    whose clock goes on, is the first to act.
    """
    told = b""
    silent = 0.0
    while silent < patience:
        if not select.select([line], [], [], _TICK)[0]:
            silent += _TICK
            continue
        try:
            said = line.recv(65536)
        except ConnectionResetError:
            return
        if not said:
            return
        silent = 0.0
        *orders, told = (told + said).split(b"\n")
        for renewed_at in filter(None, orders):  # an empty line is a sign of life
            _inject(line, float(renewed_at), inject, clock)


def _inject(
    line: socket.socket, renewed_at: float, inject: Callable[[], None], clock: Clock
) -> None:
    def run() -> None:
        why = ""
        try:
            if clock.boottime() - renewed_at >= FRESH_SECONDS:
                why = "the child was told too late; nothing was injected"
            else:
                inject()
        except HoldfastError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - the border to a driver's code
            why = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the parent is gone; the main thread sees that too
            line.sendall(json.dumps({"why": why, "at": clock.boottime()}).encode() + b"\n")

    threading.Thread(target=run, name="inject", daemon=True).start()
