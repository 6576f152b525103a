"""Write the journal in a thread of its own: a disk that hangs must not hold up a revert."""

import queue
import sys
import threading
from contextlib import suppress

from holdfast.errors import EvidenceError
from holdfast.model.lease import LeaseState
from holdfast.ports.leases import Journal


class Scribe:
    """Lines are written in the order given; one that could not start writes them at once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._todo: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._started = False

    def start(self) -> None:
        """Write whatever comes until `end`."""
        try:
            threading.Thread(target=self._run, name="scribe", daemon=True).start()
        except (RuntimeError, MemoryError) as error:
            _say(f"the journal is written without a thread: {error}")
        else:
            self._started = True

    def end(self) -> None:
        """Write what has been handed in, and no more."""
        self._todo.put(None)

    def write(self, state: LeaseState, wait: float, **facts: object) -> bool:
        """Hand in a line and wait for it, at most `wait` seconds; whether it is on disk by then."""
        task = _Task(state, facts)
        if not self._started:
            self._do(task)
            return task.written
        self._todo.put(task)
        return task.done.wait(wait) and task.written

    def _run(self) -> None:
        while (task := self._todo.get()) is not None:
            self._do(task)

    def _do(self, task: "_Task") -> None:
        try:
            self._journal.write(task.state, **task.facts)
            task.written = True
        except (OSError, EvidenceError) as error:
            _say(f"{task.state}: the journal cannot be written: {error}")
        task.done.set()


class _Task:
    __slots__ = ("done", "facts", "state", "written")

    def __init__(self, state: LeaseState, facts: dict[str, object]) -> None:
        self.state, self.facts, self.written = state, facts, False
        self.done = threading.Event()


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
