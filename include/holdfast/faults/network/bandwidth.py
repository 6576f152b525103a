"""Narrow a TCP path: answers pass at a low rate."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    return [Dose("bandwidth", {"rate": round(number(fault, "rate", 64))})]


DRIVER: FaultDriver = ToxicDriver({
    "rate": Setting(
        "integer", 64, "thousand bytes a second that each connection may carry back",
        low=1, high=1_000_000,
    ),
}, _doses)
