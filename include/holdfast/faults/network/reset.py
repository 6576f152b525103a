"""Reset the connections of a TCP path, those that are open and each new one."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    after = round(number(fault, "after", 0.0) * 1000)
    return [Dose("reset_peer", {"timeout": after}, share=number(fault, "share", 1.0))]


DRIVER: FaultDriver = ToxicDriver({
    "after": Setting(
        "duration", 0.0, "how long a connection lives before it is reset", low=0.0, high=60.0
    ),
    "share": Setting("ratio", 1.0, "of the connections", low=0.01, high=1.0),
}, _doses)
