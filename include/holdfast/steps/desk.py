"""One writer thread for all guards of a process: one transaction of renewals per 50 ms."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from holdfast.clock import Clock
from holdfast.model.lease import Lease, Renewal, Revocation
from holdfast.ports.desk import LeaseDesk, TooLate
from holdfast.ports.leases import LeaseStore

BATCH_SECONDS = 0.05
T = TypeVar("T")
OpenStore: TypeAlias = Callable[[], AbstractContextManager[LeaseStore]]
_Key = tuple[asyncio.AbstractEventLoop, Hashable]
_desks: dict[_Key, "_ThreadDesk"] = {}


@asynccontextmanager
async def desk_of(key: Hashable, open_store: OpenStore,
                  clock: Clock) -> AsyncIterator[LeaseDesk]:
    """The desk of one store, shared in this loop by all who name the same key."""
    place = (asyncio.get_running_loop(), key)
    desk = _desks.setdefault(place, _ThreadDesk(open_store, clock))
    desk.users += 1
    try:
        yield desk
    finally:
        desk.users -= 1
        if desk.users == 0:
            del _desks[place]
            desk.close()


@dataclass(eq=False)
class _ThreadDesk:
    """A LeaseDesk over a blocking store. The store is opened and used in its one thread only."""

    open_store: OpenStore
    clock: Clock
    users: int = 0
    thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="holdfast-renewals"))
    _store: LeaseStore | None = None
    _opened: ExitStack = field(default_factory=ExitStack)
    _pending: dict[str, tuple[Renewal, float]] = field(default_factory=dict)
    _batch: asyncio.Task[Mapping[str, Lease]] | None = None
    _written_at: float = float("-inf")

    async def read(self, lease_id: str) -> Lease:
        return await self._call(lambda store: store.read(lease_id))

    async def neighbours(self, lease: Lease) -> Sequence[Lease]:
        rows = await self._call(lambda store: store.leases(run_id=lease.run_id))
        return [row for row in rows
                if row.round == lease.round and row.experiment != lease.experiment]

    async def renew(self, renewal: Renewal, not_after: float) -> Lease:
        self._pending[renewal.lease_id] = (renewal, not_after)
        if self._batch is None:
            self._batch = asyncio.create_task(self._write_batch())
            self._batch.add_done_callback(_look_at_error)
        rows = await asyncio.shield(self._batch)  # a cancelled guard must not cancel its neighbours
        if renewal.lease_id not in rows:
            raise TooLate(f"the renewal of lease {renewal.lease_id} came too late to be written")
        return rows[renewal.lease_id]

    async def revoke(self, lease_id: str, revocation: Callable[[], Revocation]) -> Lease:
        def act(store: LeaseStore) -> Lease:
            store.revoke(lease_id, revocation())
            return store.read(lease_id)
        return await self._call(act)

    def close(self) -> None:
        """Close the store in its thread, after what is under way, and end the thread."""
        self.thread.submit(self._opened.close)
        self.thread.shutdown(wait=False)

    async def _write_batch(self) -> Mapping[str, Lease]:
        await asyncio.sleep(max(0.0, self._written_at + BATCH_SECONDS - self.clock.boottime()))
        taken, self._pending, self._batch = list(self._pending.values()), {}, None
        self._written_at = self.clock.boottime()
        return await self._call(lambda store: self._renew(store, taken))

    def _renew(self, store: LeaseStore, taken: list[tuple[Renewal, float]]) -> Mapping[str, Lease]:
        now = self.clock.boottime()
        timely = [renewal for renewal, not_after in taken if now <= not_after]
        return store.renew(timely) if timely else {}

    async def _call(self, act: Callable[[LeaseStore], T]) -> T:
        def run() -> T:
            if self._store is None:
                self._store = self._opened.enter_context(self.open_store())
            return act(self._store)
        return await asyncio.get_running_loop().run_in_executor(self.thread, run)


def _look_at_error(batch: "asyncio.Task[Mapping[str, Lease]]") -> None:
    """Keep asyncio from reporting an error that nobody awaits any more."""
    if not batch.cancelled():
        batch.exception()
