"""A lock is held by one client at a time."""

from collections.abc import Mapping
from typing import Any

from holdfast.checkers._linear import Does, Op
from holdfast.checkers._register import Linear, Translate
from holdfast.history.columns import OK, History
from holdfast.ports.checkers import KeyedChecker

_FREE, _HELD = 0, 1


def _turn(old: int, new: int) -> Translate:
    def operation(history: History, row: int, pair: int) -> Op:
        is_sure = pair >= 0 and history.type[pair] == OK
        return Op(Does.CAS, old, new, row, pair if is_sure else None)

    return operation


_OPERATIONS: Mapping[str, Translate] = {
    "acquire": _turn(_FREE, _HELD), "release": _turn(_HELD, _FREE),
}


class Mutex(Linear):
    """`nonlinearizable`: no order lets each client take a free lock and release a held one."""

    model, operations = "mutex", _OPERATIONS

    def initial(self, part: History, options: Any) -> int:  # noqa: ARG002 - the room's own shape
        """Free."""
        return _FREE


CHECKER: KeyedChecker = Mutex()
