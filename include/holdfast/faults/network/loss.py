"""Lose data on a TCP path, as its users feel it.

A program cannot lose a packet of a TCP connection: the kernel would send it again. What users
feel of a loss is the wait for that, and so a toxic of our own lets a lost piece come late by TCP's
retransmission time-out: 0.2 s for data (Linux's least), 1 s for a connection's opening (RFC 6298),
doubled at each loss in a row. Packets really dropped at 10 % (`iptables -m statistic`) gave p50
1-2 ms, p95 1.2-2.0 s, max 2.0-3.7 s; this, in both directions, with a new connection and one round
trip a request, p95 1.5 s, max 3.7 s. A path that pools its connections feels the openings less.
"""

from collections.abc import Sequence

from holdfast.faults._selector import number
from holdfast.faults._toxic import Dose, ToxicDriver, both_ways
from holdfast.model.fault import Fault, Setting
from holdfast.ports.faults import FaultDriver


def _doses(fault: Fault) -> Sequence[Dose]:
    return both_ways("loss", {"probability": number(fault, "loss", 0.1)})


DRIVER: FaultDriver = ToxicDriver({
    "loss": Setting("ratio", 0.1, "of what is sent in either direction", low=0.001, high=1.0),
}, _doses)
