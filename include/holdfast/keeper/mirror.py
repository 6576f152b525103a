"""Everything a keeper has to do with the store, in a thread of its own that may block."""

import sys
import threading
from contextlib import suppress
from pathlib import Path

from holdfast.clock import Clock
from holdfast.keeper.machine import Reading
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.leases import LeaseStore, StoreDown
from holdfast.steps.mirror import mirror
from holdfast.steps.stops import stopped

LOOK_SECONDS = 0.05
BEAT_SECONDS = 0.5
_CLOSED = frozenset(LeaseState) - {
    LeaseState.OPENED, LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE,
}


class Mirror:
    """Reads the lease, asks whether the fault may begin, shows the journal's state, beats.

    `latest` and `begun` are the newest answers; a store that hangs, fails or lost the row just
    gives none. The keeper's own loop only looks at them.
    """

    def __init__(self, store: LeaseStore, lease: Lease, stops: Path, clock: Clock) -> None:
        self._store, self._lease, self._stops, self._clock = store, lease, stops, clock
        self.latest: Reading | None = None
        self.begun: str | None = None
        self._asked = False
        self._shown: LeaseState | None = None
        self._show: LeaseState | None = None
        self._facts: dict[str, object] = {}
        self._beat_at = float("-inf")
        self._trouble = ""
        self._woken = threading.Event()

    def start(self) -> None:
        """Look again and again until the process ends."""
        threading.Thread(target=self._run, name="mirror", daemon=True).start()

    def ask(self) -> None:
        """Ask the store whether the fault may begin; the answer will be in `begun`."""
        self._asked = True
        self._woken.set()

    def show(self, state: LeaseState, **facts: object) -> None:
        """Show this state, and all facts so far, as soon as the store lets us."""
        self._facts = self._facts | facts
        self._show = state
        self._woken.set()

    def is_shown(self) -> bool:
        """Whether the store has what was last to be shown."""
        return self._shown is self._show

    def look(self) -> None:
        """One round with the store."""
        why = stopped(self._stops, self._lease)
        try:
            at = self._clock.boottime()  # before the read: a renewal never looks younger than it is
            row = self._store.read(self._lease.id)
            self.latest = Reading(at, row.counter, why or self._against(row))
            self._write()
        except (StoreDown, KeyError) as error:
            self._tell(f"the store does not answer: {error!r}")
            if why:
                self.latest = Reading(self._clock.boottime(), -1, why)
        else:
            self._tell("")

    def _against(self, row: Lease) -> str:
        if row.revoked is not None:
            return f"{row.revoked.reason}: {row.revoked.text}"
        return f"the store says the lease is {row.state}" if row.state in _CLOSED else ""

    def _write(self) -> None:
        if self._asked and self.begun is None:
            self.begun = self._store.begin_injection(self._lease.id)
        if not self.is_shown() and (state := self._show) is not None:
            mirror(self._store, self._lease.id, state, self._facts)
            self._shown = state
        now = self._clock.boottime()
        if now - self._beat_at >= BEAT_SECONDS:
            self._store.beat(self._lease.id)
            self._beat_at = now

    def _run(self) -> None:
        while True:
            self._woken.clear()
            self.look()
            self._woken.wait(LOOK_SECONDS)

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            with suppress(OSError):
                print(trouble or "the store answers again", file=sys.stderr, flush=True)
