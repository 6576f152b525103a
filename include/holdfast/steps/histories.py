"""Read one history file and have it judged, as anybody may again later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from holdfast.errors import CheckError, SpecError
from holdfast.history.about import About, FaultWindow, about
from holdfast.history.columns import FAIL, INFO, NO_TIME, OK, History, Kind, Shape
from holdfast.history.open import Opened, open_history
from holdfast.history.source import Advance
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker
from holdfast.registry import Registry

CHECKERS: Registry[object] = Registry("checkers", "CHECKER")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for; what is empty, the side file or the history itself must tell."""

    path: Path
    checker: str = ""
    format: str = ""
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A history that has been read, and who is to judge it."""

    opened: Opened
    about: About
    name: str
    checker: HistoryChecker
    options: Frozen

    @property
    def is_empty(self) -> bool:
        """Whether no client sent anything."""
        return not len(self.opened.history.invocations)

    def judge(self) -> Checked:
        """Judge; what cannot be decided is unknown, with its reason: a checker that fails too."""
        if self.is_empty:
            return Checked("unknown", "the history is empty: no client sent anything")
        try:
            return self.checker.judge(self.opened.history, self.options)
        except Exception as error:  # noqa: BLE001 - the border: a checker that fails proves nothing
            return Checked("unknown", why_unknown(error))

    def faults(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """How much was seen before, during and after each fault."""
        return {window.name: _around(self.opened.history, window) for window in self.about.faults}


def read(asked: Asked, advance: Advance = lambda _: None) -> Ready:
    """Read a history file. What is wrong with file or arguments is a SpecError."""
    side = about(asked.path)
    named = (asked.checker or side.checker).replace("-", "_")
    if named:
        _checker(named)  # before a large file is read
    opened = open_history(asked.path, asked.format, advance)
    name = named or _guess(opened)
    checker = _checker(name)
    told = {**(side.options if name == side.checker.replace("-", "_") else {}),
            **(asked.options or {})}
    return Ready(opened, side, name, checker, _options(name, checker.options, told))


def why_unknown(error: Exception) -> str:
    """Say why a checker could not decide."""
    if isinstance(error, CheckError):
        return str(error)
    return f"the checker failed: {type(error).__name__}: {error}"


def history_checkers() -> list[str]:
    """The names of checkers that can judge a history by itself."""
    return [name for name in CHECKERS if isinstance(CHECKERS[name], HistoryChecker)]


def _checker(name: str) -> HistoryChecker:
    found = CHECKERS.get(name) if name in CHECKERS else None
    if not isinstance(found, HistoryChecker):
        raise SpecError(f"no checker '{name}' for histories", where="--checker",
                        hint=f"known: {', '.join(history_checkers())}")
    return found


def _options(name: str, shape: type[Frozen], told: Mapping[str, Any]) -> Frozen:
    for given in told:
        if given not in shape.model_fields:
            raise SpecError(f"{name} takes no '{given}'", where=f"option {given}",
                            hint=f"it takes {', '.join(shape.model_fields) or 'none'}")
    try:
        return shape.model_validate(dict(told))
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecError(f"{first['msg']}", where=f"option {'.'.join(map(str, first['loc']))}") \
            from error


_BY_F: Sequence[tuple[set[str], str]] = (
    ({"acquire", "release"}, "mutex"), ({"generate"}, "unique_ids"), ({"get"}, "kv"),
    ({"put"}, "kv"), ({"append"}, "kv"), ({"transfer"}, "bank"), ({"cas"}, "register"),
    ({"write"}, "register"),
)


def _guess(opened: Opened) -> str:
    """The checker that fits what the history is made of."""
    history = opened.history
    if len(history.transactions.kind):
        appends = (history.transactions.kind == Kind.APPEND).any()
        return "list_append" if appends else "rw_register"
    for words, name in _BY_F:
        if words <= set(history.fs):
            return name
    if "read" in history.fs:
        reads = history.shape[history.are("read") & (history.type == OK)]
        for shape, name in ((Shape.MAP, "bank"), (Shape.LIST, "set_full"), (Shape.ATOM, "counter")):
            if len(reads) and (reads == shape).all():
                return name
    raise SpecError("its content does not tell how to judge it", where="--checker",
                    hint=f"name one: {', '.join(history_checkers())}")


def _around(history: History, window: FaultWindow) -> Mapping[str, Mapping[str, int]]:
    """What was sent before a fault, while it was on, and after it."""
    invoked = history.invocations
    invoked = invoked[history.time_ns[invoked] != NO_TIME]
    sent = history.time_ns[invoked]
    outcomes = history.outcomes(invoked)

    def counted(chosen: NDArray[np.bool_]) -> Mapping[str, int]:
        found = {name: int((chosen & (outcomes == code)).sum())
                 for name, code in (("ok", OK), ("fail", FAIL), ("info", INFO))}
        reads = chosen & history.are("read")[invoked]
        return {"operations": int(chosen.sum()), **found, "reads": int(reads.sum())}

    return {
        "before": counted(sent < window.begin_ns),
        "during": counted((sent >= window.begin_ns) & (sent < window.end_ns)),
        "after": counted(sent >= window.end_ns),
    }
