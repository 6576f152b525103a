"""The promise of a mechanism's judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.model.operation import Operation
from holdfast.model.params import Value

Series = Sequence[tuple[float, float]]
"""Pairs of unix seconds and value, in order of time."""


class Need(Enum):
    """Whether a mechanism can be judged without an indicator."""

    ALWAYS = "always"
    WITHOUT_HISTORY = "without_history"  # a history tells the same
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Indicator:
    """What the author's query must give.

    A `counter` only rises: its query may give several series, which are counted together, each
    with its own resets. Otherwise the query gives one series; one that is `sparse` has values only
    while there is something to measure.
    """

    meaning: str
    counter: bool = False
    need: Need = Need.ALWAYS
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen while one fault was on; every time is unix seconds, operations' too.

    `start` is some time before the fault, `injected` to `reverted` is the fault window, `end` is
    now. A counter's series begins with 0 at `start` and counts what came since.
    """

    start: float
    injected: float
    reverted: float
    end: float
    series: Mapping[str, Series] = field(default_factory=dict)
    operations: Sequence[Operation] = ()
    params: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A mechanism's state in one plain sentence, with the figures behind it.

    `may_change` says that watching on may still change it: something has yet to come back.
    """

    state: MechanismState
    text: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    may_change: bool = False


class Mechanism(Protocol):
    """Tell whether a mechanism did its work while something was broken. Pure.

    One that nothing asked to act is NOT_VALIDATED, never WORKING. `others` says what series under
    names of the author's own mean; empty if there may be none.
    """

    indicators: Mapping[str, Indicator]
    others: str
    reads_history: bool
    params: Mapping[str, Setting]

    def judge(self, watched: Watched) -> Judged:
        """Judge what was seen: each indicator that the suite names has values, sparse ones may not.

        Parameters without a default are given.
        """
