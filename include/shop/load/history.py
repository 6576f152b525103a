"""The load's own log: one line when an operation is sent, one when its outcome is known."""

import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

from shop.load.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Invocation:
    """One operation on its way; `process` is nobody else's until it is known how it ended."""

    process: int
    f: str
    value: object
    sent_ns: int
    intended_ns: int


class History:
    """Lines of JSON with Jepsen's field names, each handed to the kernel at once."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.lines = len(file.read_bytes().splitlines()) if file.exists() else 0
        self._index = count(self.lines)
        self._file = file.open("a")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def invoke(self, operation: Invocation) -> None:
        """Write before the request is sent: what is not in the log did not happen."""
        self._write(operation, {
            "time": operation.sent_ns, "intended": operation.intended_ns, "type": "invoke",
        })  # fmt: skip

    def complete(self, operation: Invocation, outcome: Outcome, now_ns: int) -> None:
        """Write how it ended."""
        error = {"error": outcome.error} if outcome.error else {}
        self._write(operation, {"time": now_ns, "type": outcome.type, **error})

    def _write(self, operation: Invocation, fields: dict[str, object]) -> None:
        line = {
            "index": next(self._index), **fields, "process": operation.process,
            "f": operation.f, "value": operation.value,
        }  # fmt: skip
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()


class Processes:
    """Process ids, as Jepsen uses them: one operation each at a time, retired after info."""

    def __init__(self, first: int = 0) -> None:
        self._free: list[int] = []
        self._next = count(first)

    def take(self) -> int:
        """An id nobody uses now."""
        return self._free.pop() if self._free else next(self._next)

    def give_back(self, process: int, outcome: Outcome) -> None:
        """Free it, unless its last operation may still be going on."""
        if outcome.type != "info":
            self._free.append(process)
