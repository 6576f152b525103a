"""What was seen of a mechanism, as a test writes it down; and a judge that says what it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.model.operation import Operation
from holdfast.model.params import read_params
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Watched

START, INJECTED, REVERTED, END = 1000.0, 1010.0, 1020.0, 1030.0
"""A fault from 10 to 20 s; the watch goes on until 30 s."""


@dataclass
class FakeMechanism:
    """A judge for tests of what is around it."""

    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    others: str = ""
    reads_history: bool = False
    params: Mapping[str, Setting] = field(default_factory=dict)

    def judge(self, watched: Watched) -> Judged:
        return Judged(MechanismState.WORKING, f"{sorted(watched.series)} were seen")


def series(*pieces: tuple[float, float]) -> Sequence[tuple[float, float]]:
    """A sample each second from 0 to 30 s; a piece says from which second on a value holds."""
    values = dict(pieces)
    found, value = [], 0.0
    for second in range(31):
        value = values.get(second, value)
        found.append((START + second, float(value)))
    return found


def operations(f: str, ok: int, failed: int = 0) -> list[Operation]:
    """So many operations within the fault window, the failed ones last."""
    every = 10.0 / (ok + failed)
    return [
        Operation(n, n, f, None, at, at, at + 0.05, "ok" if n < ok else "fail")
        for n in range(ok + failed)
        for at in [INJECTED + n * every]
    ]


def judged(judge: Mechanism, history: Sequence[Operation] = (), params: Mapping[str, Any] = {},
           end: float = END, **seen: Sequence[tuple[float, float]]) -> Judged:
    """Judge these series; an underscore in a name stands for the hyphen."""
    values, wrong = read_params(params, judge.params)
    assert not wrong, wrong
    found = {
        name.replace("_", "-"): [(at, value) for at, value in one if at <= end]
        for name, one in seen.items()
    }
    return judge.judge(Watched(START, INJECTED, REVERTED, end, found, history, values))
