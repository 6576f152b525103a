"""Delay answers on a TCP path."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    return [Dose("latency", {
        "latency": round(number(fault, "latency", 0.2) * 1000),
        "jitter": round(number(fault, "jitter", 0.0) * 1000),
    })]


DRIVER: FaultDriver = ToxicDriver({
    "latency": Setting("duration", 0.2, "added to each answer", low=0.01, high=60.0),
    "jitter": Setting("duration", 0.0, "the delay varies by this much", low=0.0, high=60.0),
}, _doses)
