"""Take a dependency away: open connections end, new ones are refused."""

from collections.abc import Sequence

from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault
from holdfast.ports.faults import FaultDriver


def _doses(_fault: Fault) -> Sequence[Dose]:
    return [Dose("refuse", {})]


DRIVER: FaultDriver = ToxicDriver({}, _doses)
