"""Look at one run: at its stores, at Prometheus, and beside them at the target's services."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, ParamSpec, TypeVar

from holdfast.clients.connections import connection
from holdfast.clients.indicators import Places, indicators_live
from holdfast.errors import HoldfastError
from holdfast.model.indicator import Question
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import LiveMetrics, Sample
from holdfast.steps.content_charts import samples
from holdfast.steps.indicate import between, needs_prometheus
from holdfast.steps.live import Live, look
from holdfast.steps.services import Seen, look_at
from holdfast.web.margins import Margins
from holdfast.web.view import WINDOW_SECONDS, Points, View, drawn, reading, started_at

PATIENCE = 0.8
SERVICES_SECONDS = 3.0
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Threads:
    """Where what blocks is done; services have their own, as they may hang for a while."""

    stores: ThreadPoolExecutor = field(default_factory=lambda: _threads("stores", 4))
    services: ThreadPoolExecutor = field(default_factory=lambda: _threads("services", 2))


def _threads(name: str, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix=f"holdfast-{name}")


async def within(
    threads: ThreadPoolExecutor, deed: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do what blocks in one of these threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, lambda: deed(*args, **kwargs))


@dataclass
class Looks:
    """One run as it is seen again and again; used as a context that lets go of its sources."""

    ports: Ports
    run_id: str
    threads: Threads
    _margins: Margins = field(default_factory=Margins)
    _series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _latest: dict[str, Sample] = field(default_factory=dict)
    _services: Sequence[Seen] = ()
    _metrics: LiveMetrics | None = None
    _no_metrics: str = ""
    _beside: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _sources: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> "Looks":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._beside.values():
            task.cancel()
        await self._sources.aclose()

    async def look(self) -> View | None:
        """Look once; None while the run has no book. HoldfastError or OSError if stores fail."""
        live = await within(self.threads.stores, look, self.ports, self.run_id)
        if live is None:
            return None
        if live.is_over:
            return await within(self.threads.stores, self._ended, live)
        await self._sample(live)
        self._start("services", self._look_at_services, live)
        return await within(self.threads.stores, self._going_on, live)

    async def look_at_leases(self) -> None:
        """Read the counters only: a margin is told from them, finer than the page is drawn."""
        if self._margins.now():
            await within(self.threads.stores, self._note)

    def _note(self) -> None:
        leases = self.ports.leases.leases(run_id=self.run_id)
        self._margins.note(leases, self.ports.clock.boottime())

    def _ended(self, live: Live) -> View:
        """Draw what sealing kept: Prometheus may have forgotten by now."""
        kept = samples(self.ports, self.run_id).get("series", {})
        return View(live, drawn(self.ports, live, kept))

    def _going_on(self, live: Live) -> View:
        self._margins.note(live.leases, self.ports.clock.boottime())
        readings = {
            o.name: reading(o, self._latest[o.name]) for o in live.suite.objectives
            if o.name in self._latest
        }
        charts = drawn(self.ports, live, dict(self._series))
        return View(
            live, charts, readings, self._margins.now(), self._services, self._no_metrics
        )

    async def _sample(self, live: Live) -> None:
        asked = {o.name: o.indicator.question() for o in live.suite.objectives}
        if self._metrics is None:
            self._metrics = await self._open(live, list(dict.fromkeys(asked.values())))
        found = await self._metrics.now(list(dict.fromkeys(asked.values())))
        for name, question in asked.items():
            self._keep(name, found[question])

    async def _open(self, live: Live, asked: Sequence[Question]) -> LiveMetrics:
        settings, link = self.ports.settings, live.suite.target.prometheus
        if needs_prometheus(live.suite):
            try:
                connection(settings.connections, link)
            except HoldfastError as error:
                self._no_metrics = str(error)
        places = Places(settings.connections, settings.commands, link)
        opened = indicators_live(places, asked, PATIENCE)
        self._start("before", self._fetch_before, live)
        return await self._sources.enter_async_context(opened)

    def _keep(self, name: str, sample: Sample) -> None:
        self._latest[name] = sample
        points = self._series.setdefault(name, [])
        if sample.value is None or not isfinite(sample.value):
            return
        if not points or sample.at > points[-1][0]:
            points.append((sample.at, sample.value))
        del points[:-2 * int(WINDOW_SECONDS)]

    async def _fetch_before(self, live: Live) -> None:
        """Put what was before somebody looked in front of what was seen since."""
        for name, before in (await within(self.threads.services, self._before, live)).items():
            seen = self._series.setdefault(name, [])
            first = seen[0][0] if seen else float("inf")
            seen[:0] = [point for point in before if point[0] < first]

    def _before(self, live: Live) -> Mapping[str, Points]:
        now = self.ports.clock.now().timestamp()
        span = max(started_at(live), now - WINDOW_SECONDS), now, 1.0
        try:
            return {
                o.name: between(self.ports, live.suite, o, span, self.run_id)
                for o in live.suite.objectives
            }
        except HoldfastError:
            return {}  # the reading of each objective says why there is no data

    async def _look_at_services(self, live: Live) -> None:
        home, services = self.ports.settings.home, live.suite.target.services
        self._services = await within(self.threads.services, look_at, home, services)
        await asyncio.sleep(SERVICES_SECONDS)

    def _start(
        self, name: str, deed: Callable[[Live], Coroutine[Any, Any, None]], live: Live
    ) -> None:
        """Do it beside the looks, unless it is still being done."""
        task = self._beside.get(name)
        if task is None or task.done():
            self._beside[name] = asyncio.create_task(deed(live))
