"""Write the journal in a thread of its own: a disk that hangs must not hold up a revert."""

import queue
import sys
import threading
from contextlib import suppress

from holdfast.errors import EvidenceError
from holdfast.model.lease import LeaseState
from holdfast.ports.leases import Journal


class Scribe:
    """Lines are written in the order given."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._todo: queue.SimpleQueue[_Task] = queue.SimpleQueue()

    def start(self) -> None:
        """Write whatever comes until the process ends."""
        threading.Thread(target=self._run, name="scribe", daemon=True).start()

    def write(self, state: LeaseState, wait: float, **facts: object) -> bool:
        """Hand in a line and wait for it, at most `wait` seconds; whether it is on disk by then."""
        task = _Task(state, facts)
        self._todo.put(task)
        return task.done.wait(wait) and task.written

    def _run(self) -> None:
        while True:
            task = self._todo.get()
            try:
                self._journal.write(task.state, **task.facts)
                task.written = True
            except (OSError, EvidenceError) as error:
                text = f"{task.state}: the journal cannot be written: {error}"
                with suppress(OSError):
                    print(text, file=sys.stderr, flush=True)
            task.done.set()


class _Task:
    __slots__ = ("done", "facts", "state", "written")

    def __init__(self, state: LeaseState, facts: dict[str, object]) -> None:
        self.state, self.facts, self.written = state, facts, False
        self.done = threading.Event()
