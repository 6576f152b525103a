"""Let a dependency that speaks HTTP answer requests with an error, without doing any of them."""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    status, share = round(number(fault, "status", 503)), number(fault, "share", 1.0)
    return [Dose("answer", {"status": status, "probability": share})]


DRIVER: FaultDriver = ToxicDriver({
    "status": Setting("integer", 503, "the HTTP status of the answers", low=500, high=511),
    "share": Setting("ratio", 1.0, "of the requests", low=0.01, high=1.0),
}, _doses)
