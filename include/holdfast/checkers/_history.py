"""What checkers of histories share: what was seen, and how it is told."""

from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.errors import CheckError
from holdfast.history.columns import FAIL, INFO, OK, History, Ints
from holdfast.ports.checkers import first_of


def seen(history: History) -> dict[str, int]:
    """How much there was to look at."""
    invoked = history.invocations
    outcomes = history.outcomes(invoked)
    return {
        "operations": len(invoked),
        **{name: int((outcomes == code).sum())
           for name, code in (("ok", OK), ("fail", FAIL), ("info", INFO))},
    }


def ended(history: History, outcome: int, *names: str) -> Ints:
    """Invocations of these `f` with this outcome, or all of it without a name."""
    invoked = history.invocations
    if names:
        invoked = invoked[history.are(*names)[invoked]]
    chosen: Ints = invoked[history.outcomes(invoked) == outcome]
    return chosen


def only(history: History, model: str, *names: str) -> None:
    """Refuse a history of something else."""
    others = sorted({history.fs[f] for f in np.unique(history.f[history.invocations])} - {*names})
    if others:
        raise CheckError(f"'{others[0]}' is no operation of a {model}: it knows {', '.join(names)}")


def complaint(anomalies: Mapping[str, Sequence[str]]) -> str:
    """Say how many of each there are, with the first ones."""
    return "; ".join(f"{len(found)} {name.replace('_', ' ')}: {first_of(found)}"
                     for name, found in anomalies.items() if found)
