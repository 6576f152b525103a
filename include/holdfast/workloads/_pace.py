"""How a workload is sent."""

from dataclasses import dataclass

from holdfast.model.workload import Isolation

ISOLATIONS = tuple(level.value for level in Isolation)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a workload is sent: operations a second, from so many sessions, for so many seconds.

    An operation that is due while all clients wait for answers is sent late, or when the time is
    over not at all.
    `pause` is between the statements of a transaction: what an application thinks meanwhile.
    """

    rate: float
    clients: int
    seconds: float
    isolation: str
    pause: float
