"""A store of texts by key is linearizable: get, put and append."""

from collections.abc import Mapping
from typing import Any

from holdfast.checkers._linear import Does, Op
from holdfast.checkers._register import Linear, Translate, value_text
from holdfast.errors import CheckError
from holdfast.history.columns import NIL, OK, History, Shape
from holdfast.ports.checkers import KeyedChecker


def _get(history: History, row: int, pair: int) -> Op | None:
    if pair < 0 or history.type[pair] != OK:
        return None
    return Op(Does.READ, _text(history, pair), None, row, pair)


def _change(does: Does) -> Translate:
    def operation(history: History, row: int, pair: int) -> Op:
        is_sure = pair >= 0 and history.type[pair] == OK
        return Op(does, _text(history, row), None, row, pair if is_sure else None)

    return operation


def _text(history: History, row: int) -> str:
    code = int(history.atom[row])
    value = "" if code == NIL else history.atoms.value(code)
    if history.shape[row] not in (Shape.NIL, Shape.ATOM) or not isinstance(value, str):
        told = value_text(history, row)
        raise CheckError(f"the value {told} of index {int(history.index[row])} is no text")
    return value


_OPERATIONS: Mapping[str, Translate] = {
    "get": _get, "read": _get, "put": _change(Does.WRITE), "write": _change(Does.WRITE),
    "append": _change(Does.APPEND),
}


class KeyValue(Linear):
    """`nonlinearizable`: no order of a key's operations explains what was read; all begin empty."""

    model, operations = "kv store", _OPERATIONS

    def initial(self, part: History, options: Any) -> str:  # noqa: ARG002 - the room's own shape
        """Nothing."""
        return ""


CHECKER: KeyedChecker = KeyValue()
