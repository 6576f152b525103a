"""The keeper's own loop: look, decide, do."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from holdfast.clock import Clock
from holdfast.keeper.machine import Deed, Machine, Reading, Sight
from holdfast.model.lease import LeaseState
from holdfast.steps.mend import Mended

NOTE_SECONDS = 0.25
"""How long a revert waits for its line in the journal."""
INJECT_NOTE_SECONDS = 0.5
FINAL_NOTE_SECONDS = 10.0


class Eyes(Protocol):
    """What the parent knows of the store."""

    latest: Reading | None
    begun: str | None

    def ask(self) -> None:
        """Ask whether the fault may begin."""

    def show(self, state: LeaseState, **facts: object) -> None:
        """Show a state."""


class Pen(Protocol):
    """How the parent writes the journal."""

    def write(self, state: LeaseState, wait: float, **facts: object) -> bool:
        """Hand in a line; whether it is on disk within `wait` seconds."""


class Hand(Protocol):
    """The child, as the parent sees it."""

    alive: bool
    injected: str | None
    injected_at: float | None

    def beat(self) -> None:
        """A sign of life."""

    def inject(self, renewed_at: float) -> None:
        """Do it, if the renewal of that time is still fresh then."""

    def kill(self) -> None:
        """End it, and wait."""


class Parent:
    """Holds one armed lease until its fault has ended; `mend` reverts and looks for residue."""

    def __init__(
        self, machine: Machine, parts: tuple[Eyes, Pen, Hand], mend: Callable[[], Mended],
        clock: Clock,
    ) -> None:
        self._machine, self._mend, self._clock = machine, mend, clock
        self._eyes, self._pen, self._child = parts
        self.signalled = False

    def tick(self) -> bool:
        """Look, decide, do. False once the fault has ended and been reverted."""
        self._child.beat()
        deed = self._machine.step(self._sight())
        if deed is Deed.BEGIN:
            self._eyes.ask()
        elif deed is Deed.INJECT:
            deed = self._inject()
        elif deed is Deed.ACTIVATE:
            facts = {"injected_at": self._machine.injected_at}
            self._pen.write(LeaseState.ACTIVE, 0.0, **facts)
            self._eyes.show(LeaseState.ACTIVE, **facts)
        if deed is Deed.END:
            self._close()
            return False
        return True

    def _sight(self) -> Sight:
        child = self._child
        return Sight(
            self._clock.boottime(), self._eyes.latest, child.alive, self.signalled,
            self._eyes.begun, child.injected, child.injected_at,
        )

    def _inject(self) -> Deed:
        """No fault without its line on disk, and none that would come late because of it."""
        written = self._pen.write(LeaseState.INJECTING, INJECT_NOTE_SECONDS)
        now = self._clock.boottime()
        if not written:
            return self._machine.fail(now, "the journal could not be written in time")
        if not self._machine.is_fresh(now):
            return self._machine.fail(now, "the last renewal was too old when all was ready")
        self._child.inject(self._machine.last_rise)
        return Deed.WAIT

    def _close(self) -> None:
        machine = self._machine
        facts: dict[str, object] = {
            "ended": machine.ended, "detail": machine.detail, "widest_gap": machine.widest_gap,
        }
        say(f"ended: {machine.ended} {machine.detail}")
        if not machine.touched:
            self._child.kill()
            self._final(LeaseState.CLEAN, facts | {"clean_at": self._clock.boottime()})
            return
        self._pen.write(LeaseState.REVERTING, NOTE_SECONDS, **facts)
        self._eyes.show(LeaseState.REVERTING, **facts)
        self._child.kill()
        mended = self._mend()
        detail = "; ".join(text for text in (machine.detail, mended.detail) if text)
        self._final(mended.state, mended.facts() | {"detail": detail})

    def _final(self, state: LeaseState, facts: dict[str, object]) -> None:
        say(str(state))
        self._pen.write(state, FINAL_NOTE_SECONDS, **facts)
        self._eyes.show(state, **facts)


def say(text: str) -> None:
    """A line in the keeper's log."""
    with suppress(OSError):  # a log on a full or read-only disk may not hold up a revert
        os.write(2, f"{text}\n".encode())
