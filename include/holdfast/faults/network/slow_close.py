"""Let the end of connections on a TCP path arrive late, so that they pile up half closed."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver, both_ways
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    return both_ways("slow_close", {"delay": round(number(fault, "late", 1.0) * 1000)})


DRIVER: FaultDriver = ToxicDriver({
    "late": Setting("duration", 1.0, "how late the end of a connection is", low=0.01, high=60.0),
}, _doses)
