"""Time as an argument: one clock for durations, one for dates."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What logic may ask about time."""

    def boottime(self) -> float:
        """Seconds since boot, suspend included.

        For durations, the same in all processes of a host.
        """

    def now(self) -> datetime:
        """The date, in UTC; for records, never for durations."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clocks: CLOCK_BOOTTIME and UTC."""

    def boottime(self) -> float:
        """Seconds since boot, suspend included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def now(self) -> datetime:
        """The date, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
