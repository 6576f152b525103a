"""Send a workload's operations at a set rate from several clients, and write down what becomes."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from holdfast.clock import Clock
from holdfast.history.recorder import Client, Recorder
from holdfast.ports.workloads import Ask, Sent, Unanswered, Workload
from holdfast.workloads._pace import Pace

_LAST_SECONDS = 30.0
"""How long a database that fails over is waited for by the last reads."""
_PAUSE = 0.3
_TICK = 0.2


class Session(Protocol):
    """One client's."""

    def transact(self, work: Callable[[Ask], Any]) -> Any:
        """Do it and give back what it gives; Refused, or Unanswered if nobody knows."""

    def close(self) -> None:
        """Hang up."""


class Load:
    """One run of a workload."""

    def __init__(
        self, workload: Workload, open_: Callable[[Pace], Session], recorder: Recorder, pace: Pace,
        clock: Clock,
    ) -> None:
        self._workload, self._open, self._recorder = workload, open_, recorder
        self._pace, self._clock = pace, clock
        self._lock, self._number = threading.Lock(), 0
        self.outcomes = Counter[str]()
        self.last, self.unread = 0, 0
        """How many last reads there were, and how many of them nobody answered."""
        self.is_told = False
        """Whether it was stopped, and did not end because its time was over."""
        self._broken: list[BaseException] = []

    def run(self, stop: threading.Event) -> None:
        """Send until it is told to stop or the time is over, then read everything back."""
        begun = self._clock.boottime()
        clients = [
            threading.Thread(target=partial(self._client, stop, begun), name=f"client-{number}")
            for number in range(self._pace.clients)
        ]
        for client in clients:
            client.start()
        for client in clients:
            while client.is_alive():
                client.join(_TICK)  # a signal that comes as a wait begins is seen at its end only
        if self._broken:
            raise self._broken[0]
        self.is_told = stop.is_set()
        self._read_back()

    def _client(self, stop: threading.Event, begun: float) -> None:
        session, client = self._open(self._pace), self._recorder.client()
        try:
            while (sent := self._due(stop, begun)) is not None:
                self._send(session, client, sent)
        except BaseException as error:  # noqa: BLE001 - carried over to `run`
            self._broken.append(error)
            stop.set()
        finally:
            session.close()

    def _due(self, stop: threading.Event, begun: float) -> Sent | None:
        """Wait until the next operation is due; None when there is none."""
        with self._lock:
            due = self._number / self._pace.rate
            if stop.is_set() or max(due, self._clock.boottime() - begun) >= self._pace.seconds:
                return None
            self._number += 1
            sent = self._workload.next()
        stop.wait(max(0.0, begun + due - self._clock.boottime()))
        return None if stop.is_set() else sent

    def _send(self, session: Session, client: Client, sent: Sent) -> bool:
        """Whether it was acknowledged."""
        outcome = "fail"
        try:
            with client.call(sent.f, sent.value) as call:
                call.value = session.transact(partial(self._answer, sent))
                outcome = "ok"
        except Unanswered:
            outcome = "info"  # the history has it too, and the next connects anew
        with self._lock:
            self.outcomes[outcome] += 1
        return outcome == "ok"

    def _answer(self, sent: Sent, ask: Ask) -> Any:
        return self._workload.send(ask, sent)

    def _read_back(self) -> None:
        """Read everything, without a pause: a long one would outlast a statement's limit."""
        session, client = self._open(replace(self._pace, pause=0.0)), self._recorder.client()
        until = self._clock.boottime() + _LAST_SECONDS
        reads = self._workload.last()
        self.last = self.unread = len(reads)
        try:
            for sent in reads:
                while not self._send(session, client, sent):
                    if self._clock.boottime() >= until:
                        return
                    self._clock.sleep(_PAUSE)
                self.unread -= 1
        finally:
            session.close()
