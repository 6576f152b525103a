"""Cut a TCP path in two: nothing arrives in either direction.

Connections that are open stay so and get nothing; new ones are taken by the proxy's host and then
get nothing either, where a cut wire would not even take them. What was sent meanwhile arrives when
the path is whole again, as TCP's own retransmissions would.
"""

from collections.abc import Sequence

from holdfast.faults._toxic import Dose, ToxicDriver, both_ways
from holdfast.model.fault import Fault
from holdfast.ports.faults import FaultDriver


def _doses(_fault: Fault) -> Sequence[Dose]:
    return both_ways("timeout", {"timeout": 0})  # Toxiproxy's word for no data until it is gone


DRIVER: FaultDriver = ToxicDriver({}, _doses)
