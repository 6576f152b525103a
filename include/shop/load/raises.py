"""Send more than usual for a while: each raise has a mark, a factor, and a limit of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_FACTOR, MOST_SECONDS = 20.0, 3600.0


class BadRaise(ValueError):
    """The request does not describe a raise that there may be."""


@dataclass(frozen=True, slots=True)
class Raise:
    """The rate is multiplied by the factor until its time is over."""

    factor: float
    until: float


class Raises:
    """The raises that are on. One whose limit is over is gone, whether or not it was taken back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._on: dict[str, Raise] = {}

    def put(self, mark: str, body: object) -> None:
        """Raise the rate, or set a raise anew; BadRaise says what is wrong with the request."""
        factor, seconds = _number(body, "factor"), _number(body, "seconds")
        if not 1 < factor <= MOST_FACTOR:
            raise BadRaise(f"factor must lie between 1 and {MOST_FACTOR:g}, got {factor:g}")
        if not 0 < seconds <= MOST_SECONDS:
            raise BadRaise(f"seconds must lie between 0 and {MOST_SECONDS:g}, got {seconds:g}")
        self._on[mark] = Raise(factor, self._clock() + seconds)

    def delete(self, mark: str) -> bool:
        """Take a raise back; False when there is none with this mark."""
        return self._living().pop(mark, None) is not None

    def factor(self) -> float:
        """What the rate is multiplied by now: raises side by side multiply, up to the most."""
        product = 1.0
        for one in self._living().values():
            product *= one.factor
        return min(product, MOST_FACTOR)

    def as_json(self) -> list[dict[str, object]]:
        """Every raise that is on."""
        return [self._one(mark) for mark in self._living()]

    def show(self, mark: str) -> dict[str, object] | None:
        """One raise; None when there is none with this mark."""
        return self._one(mark) if mark in self._living() else None

    def _one(self, mark: str) -> dict[str, object]:
        one = self._on[mark]
        left = round(one.until - self._clock(), 3)
        return {"mark": mark, "factor": one.factor, "seconds_left": left}

    def _living(self) -> dict[str, Raise]:
        now = self._clock()
        self._on = {mark: one for mark, one in self._on.items() if now < one.until}
        return self._on


def _number(body: object, name: str) -> float:
    value = body.get(name) if isinstance(body, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRaise(f"expected a number as {name!r}")
    return float(value)
