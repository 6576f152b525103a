"""What an API process tells Prometheus of its payments."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shop.api.breaker import State

_OUTCOMES = ("ok", "fail", "timeout", "rejected")
_ATTEMPTS = (1, 2, 3)
_LONGEST_OVER_SECONDS = 10.0
_ATTEMPT_BUCKETS = (
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.325, 0.35, 0.4, 0.5, 0.75, 1, 2, 5,
)  # fmt: skip
_WAIT_BUCKETS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1)


class PaymentFigures:
    """The attempts at payments, and what the breaker makes of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._state = Gauge(
            "shop_api_breaker_state", "0 closed, 1 half-open, 2 open.", registry=registry
        )
        self._transitions = Counter(
            "shop_api_breaker_transitions", "Changes by the state after.", ["to"],
            registry=registry,
        )  # fmt: skip
        self._attempts = Counter(
            "shop_api_payment_attempts", "Attempts by number and outcome.",
            ["attempt", "outcome"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "shop_api_payment_seconds", "Time that an attempt took.",
            buckets=_ATTEMPT_BUCKETS, registry=registry,
        )  # fmt: skip
        self._waits = Histogram(
            "shop_api_payment_retry_wait_seconds", "Time between the attempt before and this one.",
            ["attempt"], buckets=_WAIT_BUCKETS, registry=registry,
        )  # fmt: skip
        self._running: dict[int, float] = {}
        self._ended: deque[tuple[float, float]] = deque()  # when, and how long it took
        self._ids = count()
        longest = Gauge(
            "shop_api_payment_longest_seconds",
            "The longest attempt of the last 10 s, one that goes on still included.",
            registry=registry,
        )
        longest.set_function(self._longest)
        self._from_zero()

    def _from_zero(self) -> None:
        for state in State:
            self._transitions.labels(state.label)
        for attempt in _ATTEMPTS:
            for outcome in _OUTCOMES:
                self._attempts.labels(attempt, outcome)
        for attempt in _ATTEMPTS[1:]:
            self._waits.labels(attempt)

    def changed(self, state: State) -> None:
        """The breaker is in another state now."""
        self._state.set(state)
        self._transitions.labels(state.label).inc()

    def rejected(self, attempt: int) -> None:
        """The breaker did not let this attempt through."""
        self._attempts.labels(attempt, "rejected").inc()

    def waited(self, attempt: int, seconds: float) -> None:
        """So long was the pause before this attempt."""
        self._waits.labels(attempt).observe(seconds)

    @contextmanager
    def attempt(self) -> Iterator[Callable[[int, str], None]]:
        """An attempt that goes on until what this gives is called with its number and outcome."""
        name, began = next(self._ids), time.monotonic()
        self._running[name] = began

        def done(attempt: int, outcome: str) -> None:
            now = time.monotonic()
            self._seconds.observe(now - began)
            self._attempts.labels(attempt, outcome).inc()
            self._ended.append((now, now - began))

        try:
            yield done
        finally:
            del self._running[name]

    def _longest(self) -> float:
        now = time.monotonic()
        while self._ended and self._ended[0][0] < now - _LONGEST_OVER_SECONDS:
            self._ended.popleft()
        going_on = (now - began for began in list(self._running.values()))
        return max((*going_on, *(seconds for _, seconds in list(self._ended))), default=0.0)
