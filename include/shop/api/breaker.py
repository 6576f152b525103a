"""A circuit breaker: stop asking a service that fails, and ask it again with one trial.

Why not a library: the breaker here counts failures in a window of time, lets one single trial
through, and takes no notice of answers that belong to an earlier state. purgatory (3.0) counts
failures in a row and lets every request through when half-open.
"""

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

_FAILURES, _AMONG = 5, 10  # fewer failures among more attempts are for the retry
_WINDOW_SECONDS = 2.0
OPEN_SECONDS = 2.0


class State(IntEnum):
    """Closed lets everything through, open nothing, half-open one trial."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2

    @property
    def label(self) -> str:
        """As metrics and pages spell it."""
        return self.name.lower().replace("_", "-")


class Breaker:
    """The breaker in front of one service."""

    def __init__(
        self, changed: Callable[[State], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.state = State.CLOSED
        self._changed, self._clock = changed, clock
        self._generation = 0
        self._opened = 0.0
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_AMONG)  # ended when, and well

    @property
    def ready(self) -> bool:
        """Whether an attempt would be let through now."""
        if self.state is State.OPEN:
            return self._clock() - self._opened >= OPEN_SECONDS
        return self.state is State.CLOSED

    def admit(self) -> int | None:
        """Ask to make an attempt: what to hand to `settle` afterwards; None is a refusal."""
        if not self.ready:
            return None
        if self.state is State.OPEN:
            self._become(State.HALF_OPEN)  # this is the trial; who asks next is refused
        return self._generation

    def settle(self, generation: int, well: bool) -> None:
        """Tell how an attempt ended; one admitted before the last change says nothing new."""
        if generation != self._generation:
            return
        if self.state is State.HALF_OPEN:
            self._become(State.CLOSED if well else State.OPEN)
            return
        now = self._clock()
        self._recent.append((now, well))
        while self._recent[0][0] < now - _WINDOW_SECONDS:
            self._recent.popleft()
        failures = sum(not w for _, w in self._recent)
        if failures >= _FAILURES:
            self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self.state = state
        self._generation += 1
        self._opened = self._clock()
        self._recent.clear()
        self._changed(state)
