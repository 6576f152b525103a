"""Samples of indicators that nobody else has a history of, one JSON line each.

Whoever asks keeps what was answered: tasks as they ask, the guard about once a second and beside
its loop. A file that cannot be written costs a chart its line, never a renewal.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from holdfast.model.indicator import Indicator, Question
from holdfast.ports.metrics import LiveMetrics, Sample

Points = list[tuple[float, float]]
EVERY_SECONDS = 1.0
_MOST_WAITING = 10_000
_log = logging.getLogger("holdfast.samples")


def keep(file: Path, samples: Iterable[tuple[Indicator, Sample]]) -> None:
    """Add samples to a file of a run or a lease; OSError if that cannot be done."""
    lines = [json.dumps([str(asked), s.at, s.value]) for asked, s in samples
             if s.value is not None and isfinite(s.value)]
    if lines:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("a") as out:
            out.write("\n".join(lines) + "\n")


def kept(files: Iterable[Path], asked: Indicator, start: float, end: float) -> Points:
    """The samples of an indicator in all of these files, in order, each once."""
    found = set()
    for file in files:
        with suppress(FileNotFoundError), file.open(errors="replace") as lines:
            for line in lines:
                with suppress(ValueError, TypeError):  # half a line, of a process that was killed
                    name, at, value = json.loads(line)
                    if name == str(asked) and start <= at <= end:
                        found.add((float(at), float(value)))
    return sorted(found)


@dataclass
class Keeping:
    """Live metrics that keep the answers of the indicators that are not Prometheus's."""

    metrics: LiveMetrics
    file: Path
    _waiting: list[tuple[Indicator, Sample]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        """Ask, and have it written beside."""
        answers = await self.metrics.now(questions)
        self._waiting += [(q, s) for q, s in answers.items() if isinstance(q, Indicator)]
        del self._waiting[:-_MOST_WAITING]
        if self._waiting and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write())
        return answers

    async def close(self) -> None:
        """Write what is left, within a second."""
        if self._writing is not None:
            self._writing.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._flush(), EVERY_SECONDS)

    async def _write(self) -> None:
        await asyncio.sleep(EVERY_SECONDS)
        await self._flush()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(keep, self.file, batch)
        except OSError as error:
            _log.warning("%s: samples were not kept: %s", self.file.name, error.strerror)
