"""Ask from the triggerer's loop: one poller per source, equal questions asked once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from holdfast.clock import Clock, SystemClock
from holdfast.model.indicator import Question
from holdfast.ports.metrics import LiveMetrics, Sample

REQUEST_SECONDS = 2.0
"""A request is given up after this; a guard waits less, and may still use the answer next tick."""


class Talker(Protocol):
    """Asks one source. Neither blocks the loop nor raises for what the source does or says."""

    name: str

    async def ask(self, question: Any) -> Sample:
        """One answer, within a bounded time."""

    async def close(self) -> None:
        """Let go of the source."""


@asynccontextmanager
async def polling(key: Hashable, make: Callable[[], Talker], patience: float,
                  clock: Clock | None = None) -> AsyncIterator[LiveMetrics]:
    """One source, shared in this loop by all who name the same key; closed by the last.

    `patience` is how many seconds one call waits: what has not been answered by then is no data.
    """
    place = (asyncio.get_running_loop(), key)
    poller = pollers.get(place)
    if poller is None:
        poller = pollers[place] = Poller(make(), clock or SystemClock())
    poller.users += 1
    try:
        yield Asker(poller, patience)
    finally:
        poller.users -= 1
        if poller.users == 0:
            del pollers[place]
            await poller.close()


class Poller:
    """The requests of one source; a question that is in flight is not asked again."""

    def __init__(self, talker: Talker, clock: Clock) -> None:
        self.users, self.talker, self._clock = 0, talker, clock
        self._in_flight: dict[Question, asyncio.Task[Sample]] = {}

    def ask(self, question: Question) -> "asyncio.Task[Sample]":
        """The request for a question, under way or new."""
        task = self._in_flight.get(question)
        if task is None:
            task = self._in_flight[question] = asyncio.create_task(self.talker.ask(question))
            task.add_done_callback(lambda _: self._in_flight.pop(question, None))
        return task

    def date(self) -> float:
        """Unix seconds."""
        return self._clock.now().timestamp()

    async def close(self) -> None:
        """Give up what is in flight and let go of the source."""
        left = list(self._in_flight.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.talker.close()


@dataclass(frozen=True, slots=True)
class Asker:
    """One guard's view of a poller."""

    poller: Poller
    patience: float

    async def now(self, questions: Sequence[Question]) -> Mapping[Question, Sample]:
        """The answer to each question, or why there is none."""
        tasks = {question: self.poller.ask(question) for question in questions}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self.patience)
        return {question: self._result(task) for question, task in tasks.items()}

    def _result(self, task: "asyncio.Task[Sample]") -> Sample:
        if task.done() and not task.cancelled():
            return task.result()
        why = f"{self.poller.talker.name} gave no answer in {self.patience:g} s"
        return Sample(None, self.poller.date(), why)


pollers: dict[tuple[asyncio.AbstractEventLoop, Hashable], Poller] = {}
