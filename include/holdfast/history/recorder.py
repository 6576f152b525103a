"""Record a workload's history honestly: what was sent, before it is sent, and what became of it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from holdfast.clock import Clock
from holdfast.errors import SpecError

_SECOND = 1_000_000_000


class Fsync(StrEnum):
    """When lines are forced to the disk; a killed workload loses none either way."""

    NEVER = "never"  # a crash of the host may lose the last seconds
    EACH = "each"  # nothing is sent before its line is on the disk


class Refused(Exception):
    """Raised inside a call to say that the operation surely did not happen."""


class Recorder:
    """One history file, written by any number of threads.

    Each line is one write, in the order of `index`. A file that is there is not touched.
    """

    def __init__(self, path: Path, clock: Clock, fsync: Fsync = Fsync.NEVER) -> None:
        self._clock, self._fsync = clock, fsync
        self._lock, self._index, self._processes = threading.Lock(), 0, 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            raise SpecError(f"the history cannot be written: {error.strerror}", where=str(path),
                            hint="name a file that is not there yet") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def client(self) -> "Client":
        """A client of its own for each thread."""
        return Client(self)

    def process(self) -> int:
        """A number that no process had."""
        with self._lock:
            self._processes += 1
            return self._processes - 1

    def write(self, kind: str, process: int, f: str, value: Any, error: str = "") -> None:
        """Write one line; OSError if it cannot be, and then nothing may be sent."""
        with self._lock:
            line: dict[str, Any] = {
                "index": self._index, "time": round(self._clock.boottime() * _SECOND),
                "type": kind, "process": process, "f": f, "value": value,
            }
            content = msgspec.json.encode(line | ({"error": error} if error else {})) + b"\n"
            while content:
                content = content[os.write(self._file, content):]
            self._index += 1
            if self._fsync is Fsync.EACH:
                os.fsync(self._file)


class Client:
    """Sends one operation after the other, under a process of the history.

    After an operation of which nobody knows, that process has retired: its operation may take
    effect at any time, so the next one is another process's.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._process = recorder.process()

    @contextmanager
    def call(self, f: str, value: Any = None) -> Iterator["Call"]:
        """Record what the block does: ok if it ends, fail if it raises Refused (which ends here).

        After any other error, time-outs and lost connections above all, nobody knows; the error
        goes on.
        """
        told, process = Call(value), self._process
        self._recorder.write("invoke", process, f, value)
        try:
            yield told
        except Refused as refused:
            self._recorder.write("fail", process, f, value, str(refused))
        except BaseException as error:
            self._process = self._recorder.process()
            self._recorder.write("info", process, f, value, f"{type(error).__name__}: {error}")
            raise
        else:
            self._recorder.write("ok", process, f, told.value)


class Call:
    """What an operation gives: `value` is what was sent, or what the block says was answered."""

    def __init__(self, value: Any) -> None:
        self.value = value
