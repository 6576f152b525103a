"""Let answers on a TCP path come unevenly: each a random time later, none out of order."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    half = round(number(fault, "jitter", 0.2) * 500)
    return [Dose("latency", {"latency": half, "jitter": half})]


DRIVER: FaultDriver = ToxicDriver({
    "jitter": Setting(
        "duration", 0.2, "each answer comes up to this much later, evenly spread",
        low=0.01, high=60.0,
    ),
}, _doses)
