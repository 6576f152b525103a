"""A register is linearizable: one order of reads, writes and compare-and-set explains all."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from holdfast.checkers._linear import Does, Op
from holdfast.checkers._register import Linear, LinearOptions, Translate
from holdfast.errors import CheckError
from holdfast.history.columns import NIL, OK, History, Shape
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import KeyedChecker

_PAIR = 2


class RegisterOptions(LinearOptions):
    """What the register holds at first."""

    initial: int | str | None = Field(None, description="what it holds at first; nothing if unsaid")


def _initial(history: History, value: int | str | None) -> int:
    if isinstance(value, int):
        return value
    if value is None:
        return NIL
    from holdfast.history.values import Interner

    return Interner(history.atoms).code(value)


def _read(history: History, row: int, pair: int) -> Op | None:
    if pair < 0 or history.type[pair] != OK:
        return None
    return Op(Does.READ, _single(history, pair), None, row, pair)


def _write(history: History, row: int, pair: int) -> Op | None:
    return Op(Does.WRITE, _single(history, row), None, row, _end(history, pair))


def _cas(history: History, row: int, pair: int) -> Op | None:
    values = history.list_of(row).tolist()
    if len(values) != _PAIR:
        raise CheckError(f"cas of index {int(history.index[row])} does not tell [old new]")
    return Op(Does.CAS, values[0], values[1], row, _end(history, pair))


def _single(history: History, row: int) -> int:
    if history.shape[row] not in (Shape.NIL, Shape.ATOM):
        raise CheckError(f"index {int(history.index[row])} has no single value")
    return int(history.atom[row])


def _end(history: History, pair: int) -> int | None:
    return pair if pair >= 0 and history.type[pair] == OK else None


_OPERATIONS: Mapping[str, Translate] = {"read": _read, "write": _write, "cas": _cas}


class Register(Linear):
    """`nonlinearizable`: no order of the operations explains what was read.

    A refused operation did not happen; one that nobody knows about may have, at any time since.
    """

    options: type[Frozen] = RegisterOptions
    model, operations = "register", _OPERATIONS

    def initial(self, part: History, options: Any) -> int:
        """What the options say, by its code."""
        return _initial(part, options.initial)


CHECKER: KeyedChecker = Register()
