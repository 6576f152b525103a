"""The guard as an Airflow trigger: thin over the step that watches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    closing,
)
from pathlib import Path
from typing import Any, TypedDict

from airflow.triggers.base import BaseTrigger, TriggerEvent

from holdfast.clients.indicators import Places, indicators_live
from holdfast.clients.samples import Keeping
from holdfast.clock import SystemClock
from holdfast.model.indicator import Indicator
from holdfast.model.lease import Lease, Reason, Revocation
from holdfast.ports.desk import LeaseDesk
from holdfast.ports.leases import LeaseStore, StoreDown
from holdfast.ports.metrics import LiveMetrics
from holdfast.provider.wiring import commands
from holdfast.safety.conditions import Watch
from holdfast.settings import Settings
from holdfast.steps.desk import desk_of
from holdfast.steps.watch import questions
from holdfast.steps.watch import watch as stand_guard

MAX_PATIENCE = 0.4
BUSY_SECONDS = 1.0
"""How long a renewal waits for another's write lock: an older decision must not be written."""
_KILL_TRIES = 5


class GuardEvent(TypedDict):
    """What the task gets back; it is a hint only, the store has the truth."""

    lease_id: str
    state: str
    reason: str


class GuardTrigger(BaseTrigger):
    """Watch one lease until it is over, in the triggerer's loop.

    :param home: the state folder, whose connections file is used, and whose lease store too
        unless ``store`` is the connection of one that machines share.
    :param prometheus: connection id of the Prometheus that is asked.
    :param watch: the guard's task, a ``Watch`` as JSON.
    """

    def __init__(
        self, *, home: str, prometheus: str, watch: dict[str, Any], store: str = ""
    ) -> None:
        super().__init__()
        self.home, self.prometheus, self.watch, self.store = home, prometheus, watch, store

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give back exactly the constructor's arguments."""
        return (
            "holdfast.provider.triggers.guard.GuardTrigger",
            {
                "home": self.home, "prometheus": self.prometheus, "watch": self.watch,
                "store": self.store,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch, then fire one event."""
        task, clock = Watch.model_validate(self.watch), SystemClock()
        async with self._desk() as desk, self._metrics(task) as metrics:
            try:
                lease = await stand_guard(task, desk, metrics, clock)
                event = _event(lease)
            except KeyError:
                event = GuardEvent(lease_id=task.lease_id, state="missing", reason="")
        yield TriggerEvent(event)

    async def on_kill(self) -> None:
        """Revoke the lease: a person marked or cleared the task, or the guard is taken away."""
        lease_id, clock = Watch.model_validate(self.watch).lease_id, SystemClock()

        def revocation() -> Revocation:
            text = "ended from outside: the task was marked, cleared or taken away"
            return Revocation(Reason.CLOSED, text, by="guard", at=clock.now().isoformat())

        async with self._desk() as desk:
            for _ in range(_KILL_TRIES):
                try:
                    await desk.revoke(lease_id, revocation)
                except StoreDown as error:
                    self.log.warning("lease %s: could not be revoked: %s", lease_id, error)
                    await asyncio.sleep(0.5)
                else:
                    return

    def _desk(self) -> AbstractAsyncContextManager[LeaseDesk]:
        settings = Settings(home=Path(self.home), experiments=Path(), store=self.store)

        def open_store() -> AbstractContextManager[LeaseStore]:
            from holdfast.stores.places import leases_of

            return closing(leases_of(settings, busy_seconds=BUSY_SECONDS, create=False))

        return desk_of((settings.home, settings.store), open_store, SystemClock())

    @asynccontextmanager
    async def _metrics(self, task: Watch) -> AsyncIterator[LiveMetrics]:
        settings = Settings(home=Path(self.home), experiments=Path())
        asked = questions(task)
        probes = [question for question in asked if isinstance(question, Indicator)]
        allowed = commands() if any(probe.command for probe in probes) else {}
        places = Places(settings.connections, allowed, self.prometheus, task.max_age)
        async with indicators_live(places, asked, min(task.poll, MAX_PATIENCE)) as metrics:
            if not probes:
                yield metrics
                return
            keeping = Keeping(metrics, settings.samples / f"{task.lease_id}.jsonl")
            try:
                yield keeping
            finally:
                await keeping.close()


def _event(lease: Lease) -> GuardEvent:
    why = lease.revoked.reason if lease.revoked else lease.ended
    return GuardEvent(lease_id=lease.id, state=lease.state.value, reason=why.value if why else "")
