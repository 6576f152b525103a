"""Look at a run once a second for all who watch it, and only while somebody does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex

from holdfast.errors import HoldfastError
from holdfast.ports.bundle import Ports
from holdfast.web.looks import Looks, Threads, within
from holdfast.web.view import View

LEASE_SECONDS = 0.5
"""How often leases are read; the rest of the page every second time."""
LINGER_SECONDS = 5.0
"""How long a poller goes on without listeners: a stream that was cut comes back within this."""
_log = logging.getLogger("holdfast.web")

Draw = Callable[[View | None, str], Mapping[str, str]]
"""The parts of the page by name, from what was seen and why it may be old."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page, and the number of the change that made it."""

    number: int
    html: str


@dataclass
class Poller:
    """One run's looks, drawn. `mark` tells it from an earlier poller of the same run."""

    looks: Looks
    draw: Draw
    mark: str = field(default_factory=lambda: token_hex(4))
    parts: dict[str, Part] = field(default_factory=dict)
    number: int = 0
    users: int = 0
    view: View | None = None
    is_over: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _task: "asyncio.Task[None] | None" = None

    @property
    def is_dead(self) -> bool:
        """Whether it looks no more, though the run may go on."""
        return self._task is not None and self._task.done() and not self.is_over

    def start(self) -> None:
        """Begin to look, in the loop that is running."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_tell_why)

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    def since(self, number: int) -> list[tuple[str, Part]]:
        """The parts that changed after that change, in order."""
        found = [(name, part) for name, part in self.parts.items() if part.number > number]
        return sorted(found, key=lambda pair: pair[1].number)

    async def change(self, after: int, patience: float) -> None:
        """Wait until there is a later change or no more to come; at most so many seconds."""
        async def changed() -> None:
            async with self._changed:
                await self._changed.wait_for(
                    lambda: self.number > after or self.is_over or self.is_dead
                )
        waiting = asyncio.ensure_future(changed())
        await asyncio.wait({waiting, *filter(None, [self._task])}, timeout=patience,
                           return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def _run(self) -> None:
        async with self.looks:
            while not self.is_over:
                await self._look()
                for _ in range(0 if self.is_over else 2):
                    await asyncio.sleep(LEASE_SECONDS)
                    await self._look_at_leases()

    async def _look(self) -> None:
        trouble = ""
        try:
            self.view = await self.looks.look()
        except (HoldfastError, OSError) as error:
            trouble = f"What is shown may be old: {error}"
            _log.warning("run %s cannot be looked at: %s", self.looks.run_id, error)
        html = await within(self.looks.threads.stores, self.draw, self.view, trouble)
        fresh = [name for name in html if self._is_fresh(name, html[name])]
        for name in fresh:
            self.number += 1
            self.parts[name] = Part(self.number, html[name])
        self.is_over = self.view is not None and self.view.live.is_over and not trouble
        async with self._changed:
            self._changed.notify_all()

    async def _look_at_leases(self) -> None:
        try:
            await self.looks.look_at_leases()
        except HoldfastError as error:  # the next look says so on the page
            _log.warning("the leases of %s cannot be read: %s", self.looks.run_id, error)

    def _is_fresh(self, name: str, html: str) -> bool:
        return name not in self.parts or self.parts[name].html != html


def _tell_why(task: "asyncio.Task[None]") -> None:
    """A poller that fails ends its streams; browsers come back, to a new one."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a poller ended", exc_info=error)


@dataclass
class Pollers:
    """One poller for each run that is watched in this process."""

    ports: Callable[[], Ports]
    draw: Draw
    threads: Threads = field(default_factory=Threads)
    running: dict[str, Poller] = field(default_factory=dict)

    @asynccontextmanager
    async def listen(self, run_id: str) -> AsyncIterator[Poller]:
        """The run's poller, shared; it ends a while after its last listener has left."""
        poller = self.running.get(run_id)
        if poller is None or poller.is_dead:
            looks = Looks(self.ports(), run_id, self.threads)
            poller = self.running[run_id] = Poller(looks, self.draw)
            poller.start()
        poller.users += 1
        try:
            yield poller
        finally:
            poller.users -= 1
            if poller.users == 0:
                loop = asyncio.get_running_loop()
                loop.call_later(LINGER_SECONDS, self._retire, run_id, poller)

    def _retire(self, run_id: str, poller: Poller) -> None:
        if poller.users == 0 and self.running.get(run_id) is poller:
            del self.running[run_id]
            poller.stop()
