"""Let a dependency answer late."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    return [Dose("latency", {"latency": round(number(fault, "latency", 1.0) * 1000), "jitter": 0})]


DRIVER: FaultDriver = ToxicDriver({
    "latency": Setting("duration", 1.0, "how late each answer is", low=0.01, high=60.0),
}, _doses)
