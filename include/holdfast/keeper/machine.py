"""Decide what a keeper does next, from what it sees: no clock, no store, no process of its own."""

from dataclasses import dataclass
from enum import Enum, auto

from holdfast.model.lease import ARMED_SECONDS, INJECT_SECONDS, End

FRESH_SECONDS = 1.0
"""How old the last rise of the counter may be at the moment of injection."""


class Phase(Enum):
    """How far the keeper has come."""

    ARMED = auto()
    BEGINNING = auto()  # the store is being asked whether the fault may begin
    INJECTING = auto()
    ACTIVE = auto()
    ENDED = auto()


class Deed(Enum):
    """What the keeper must do now."""

    WAIT = auto()
    BEGIN = auto()     # ask the store
    INJECT = auto()    # journal it, then tell the child
    ACTIVATE = auto()  # journal that the fault is on
    END = auto()       # revert if `touched`


@dataclass(frozen=True, slots=True)
class Terms:
    """What the lease says. Seconds."""

    lease: float
    duration: float
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the store: the counter, when it was read, and what speaks for an end."""

    at: float
    counter: int
    revoked: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything the keeper sees at one moment. None means nothing is known yet.

    `begun` and `injected` are empty when it went well, else they say why not.
    """

    now: float
    reading: Reading | None = None
    child_alive: bool = True
    signalled: bool = False
    begun: str | None = None
    injected: str | None = None
    injected_at: float | None = None


@dataclass(slots=True)
class Machine:
    """A lease's life as its keeper lives it. Times are CLOCK_BOOTTIME seconds.

    Only a counter that is higher than every one seen before is a renewal. Anything else (lower,
    the same, no reading) is silence. A renewal seen after a silence of the lease time comes too
    late: whoever was asleep so long may not go on.
    """

    terms: Terms
    armed_at: float
    phase: Phase = Phase.ARMED
    ended: End | None = None
    detail: str = ""
    touched: bool = False
    widest_gap: float | None = None
    injected_at: float | None = None
    _highest: int | None = None
    _looked_at: float | None = None
    _first_rise: float | None = None
    _last_rise: float | None = None
    _began_at: float = 0.0
    _overslept: bool = False

    def step(self, sight: Sight) -> Deed:
        """Take in what is seen and say what to do."""
        if self.phase is Phase.ENDED:
            return Deed.WAIT
        self._look(sight.reading)
        why = self._why_end(sight)
        if why is not None:
            return self._end(sight.now, *why)
        return self._go_on(sight)

    def fail(self, now: float, detail: str) -> Deed:
        """End because the keeper itself could not do what it had to."""
        return self._end(now, End.FAILED, detail)

    @property
    def last_rise(self) -> float:
        """When a renewal was last seen; long ago if none was."""
        return float("-inf") if self._last_rise is None else self._last_rise

    def is_fresh(self, now: float) -> bool:
        """Whether a renewal was seen less than a second ago."""
        return now - self.last_rise < FRESH_SECONDS

    def _look(self, reading: Reading | None) -> None:
        if reading is None or reading.at == self._looked_at:
            return
        self._looked_at = reading.at
        if self._highest is None:
            self._highest = reading.counter
        elif reading.counter > self._highest:
            self._highest = reading.counter
            self._rise(reading.at)

    def _rise(self, at: float) -> None:
        if self._last_rise is None:
            self._first_rise = at
        else:
            self._measure(at - self._last_rise)
            self._overslept |= at - self._last_rise >= self.terms.lease
        self._last_rise = at

    def _measure(self, gap: float) -> None:
        if self.touched:
            self.widest_gap = max(gap, self.widest_gap or 0.0)

    def _why_end(self, sight: Sight) -> tuple[End, str] | None:
        if sight.reading is not None and sight.reading.revoked:
            return End.REVOKED, sight.reading.revoked
        if sight.signalled:
            return End.SIGNAL, "the keeper was told to end"
        if not sight.child_alive:
            return End.CHILD_DIED, "the keeper's child died"
        if self._is_silent(sight.now):
            return End.SILENCE, f"no renewal was seen for {self.terms.lease:g} s"
        return self._why_end_of_phase(sight)

    def _is_silent(self, now: float) -> bool:
        if self._last_rise is None:
            return False
        return self._overslept or now - self._last_rise >= self.terms.lease

    def _why_end_of_phase(self, sight: Sight) -> tuple[End, str] | None:
        now, limit = sight.now, ARMED_SECONDS + self.terms.delay
        if self.phase is Phase.ACTIVE:
            over = now - (self.injected_at or now) >= self.terms.duration
            return (End.DURATION, "") if over else None
        if self.phase is Phase.INJECTING:
            if sight.injected:
                return End.FAILED, sight.injected
            late = now - self._began_at >= INJECT_SECONDS and sight.injected is None
            text = f"the injection did not return within {INJECT_SECONDS:g} s"
            return (End.FAILED, text) if late else None
        if self.phase is Phase.BEGINNING and sight.begun:
            return End.REFUSED, sight.begun
        expired = now - self.armed_at >= limit
        return (End.EXPIRED, f"nothing was injected for {limit:g} s") if expired else None

    def _go_on(self, sight: Sight) -> Deed:
        if self.phase is Phase.ARMED and self.is_fresh(sight.now) and self._is_due(sight.now):
            self.phase = Phase.BEGINNING
            return Deed.BEGIN
        if self.phase is Phase.BEGINNING and sight.begun == "" and self.is_fresh(sight.now):
            self.phase, self.touched, self._began_at = Phase.INJECTING, True, sight.now
            return Deed.INJECT
        if self.phase is Phase.INJECTING and sight.injected == "":
            self.phase = Phase.ACTIVE
            self.injected_at = sight.now if sight.injected_at is None else sight.injected_at
            return Deed.ACTIVATE
        return Deed.WAIT

    def _is_due(self, now: float) -> bool:
        return self._first_rise is not None and now - self._first_rise >= self.terms.delay

    def _end(self, now: float, end: End, detail: str) -> Deed:
        if self._last_rise is not None:
            self._measure(now - self._last_rise)
        self.phase, self.ended, self.detail = Phase.ENDED, end, detail
        return Deed.END
