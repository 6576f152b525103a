"""Judge registers of every kind by an order that explains what was read from them."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from holdfast.checkers._history import only, seen
from holdfast.checkers._keyed import Keyed
from holdfast.checkers._linear import Found, Op, linearize
from holdfast.history.columns import FAIL, History
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked

BUDGET = 2_000_000
"""Steps for one key: some seconds, and some hundred megabytes at worst."""

Translate = Callable[[History, int, int], Op | None]
"""Gives the operation of an invocation and its completion (-1: none); None if it tells nothing."""


class LinearOptions(Frozen):
    """How hard to try."""

    budget: int = Field(BUDGET, ge=1, description="steps of the search for each key")


class Linear(Keyed):
    """One order of a key's operations explains what was read: what `operations` know of `model`."""

    options: type[Frozen] = LinearOptions
    model: str
    operations: Mapping[str, Translate]

    @abstractmethod
    def initial(self, part: History, options: Any) -> Any:
        """The state that a key begins with."""

    def fits(self, history: History) -> None:
        """Refuse other operations."""
        only(history, self.model, *self.operations)

    def one(self, part: History, options: Any) -> Checked:
        """Search for the order."""
        return _one(part, self.operations, self.initial(part, options), options.budget)


def _one(
    history: History, operations: Mapping[str, Translate], initial: Any, budget: int
) -> Checked:
    ops, names = [], [operations.get(f) for f in history.fs]
    invoked = history.invocations
    for row, outcome, pair in zip(invoked.tolist(), history.outcomes(invoked).tolist(),
                                  history.pair[invoked].tolist(), strict=True):
        translate = names[history.f[row]]
        op = None if outcome == FAIL or translate is None else translate(history, row, pair)
        if op is not None:
            ops.append(op)
    found = linearize(ops, initial, budget)
    counts = seen(history) | {"steps": found.steps, "placed": found.placed}
    sure = sum(op.ended is not None for op in ops)
    return _told(history, found, counts, sure)


def _told(history: History, found: Found, counts: dict[str, int], sure: int) -> Checked:
    if not sure:
        return Checked("unknown", "no operation succeeded: nothing was observed", counts)
    if found.is_linear is None:
        text = (f"no order was found in {found.steps} steps, and none was ruled out; "
                f"{found.placed} of {sure} operations could be placed")
        return Checked("unknown", text, counts)
    if found.is_linear or found.stuck is None:
        text = f"one order explains all {sure} successful operations"
        return Checked("valid", text, counts)
    place = _placed_at(history, found.stuck.begun)
    text = (f"no order explains {place}; the longest that fits has {found.placed} of {sure} "
            f"operations and leads to {_state(history, found.state)}")
    return Checked("invalid", text, counts, {"nonlinearizable": [place]}, {},
                   {"stuck": place, "prefix": found.placed,
                    "state": _state(history, found.state)})


def _placed_at(history: History, row: int) -> str:
    pair = int(history.pair[row])
    rows = [r for r in (pair, row) if r >= 0]
    value = next((v for v in (value_text(history, r) for r in rows) if v != "nil"), "nil")
    return (f"{history.fs[history.f[row]]} {value} of process {int(history.process[row])} "
            f"(index {int(history.index[row])})")


def value_text(history: History, row: int) -> str:
    """Write the value of a row."""
    told = history.list_of(row).tolist()
    if told:
        return "[" + " ".join(history.atoms.text(code) for code in told) + "]"
    return history.atoms.text(int(history.atom[row]))


def _state(history: History, state: Any) -> str:
    return history.atoms.text(state) if isinstance(state, int) else repr(state)
