"""What checkers of histories share: what was seen, and how verdicts of parts are joined."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from holdfast.errors import CheckError
from holdfast.history.columns import FAIL, INFO, OK, History, Ints
from holdfast.history.keyed import parts
from holdfast.ports.checkers import Checked, first_of

_TOLD = 10
"""Of how many keys details are told."""
_WORST: tuple[Literal["invalid", "unknown", "valid"], ...] = ("invalid", "unknown", "valid")


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


def by_key(history: History, judge: Callable[[History], Checked]) -> Checked:
    """Judge the rows of each key by themselves; the worst verdict is that of all."""
    found = [(key, judge(part)) for key, part in parts(history)]
    if len(found) == 1:
        return found[0][1]
    counts, anomalies = Counter[str](), dict[str, list[str]]()
    details: dict[str, Any] = {}
    for key, checked in found:
        counts.update(checked.counts)
        for name, places in checked.anomalies.items():
            anomalies.setdefault(name, []).extend(f"key {key}: {place}" for place in places)
        if checked.outcome != "valid" and checked.details and len(details) < _TOLD:
            details[f"key {key}"] = dict(checked.details)
    outcome = next(w for w in _WORST if any(c.outcome == w for _, c in found))
    texts = [f"key {key}: {c.text}" for key, c in found if c.outcome == outcome]
    text = f"all {len(found)} keys are right" if outcome == "valid" else first_of(texts)
    return Checked(outcome, text, dict(counts) | {"keys": len(found)}, anomalies, {}, details)
