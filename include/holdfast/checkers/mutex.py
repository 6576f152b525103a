"""A lock is held by one client at a time."""

from collections.abc import Mapping
from typing import Any

from holdfast.checkers._linear import Does, Op
from holdfast.checkers._register import LinearOptions, Translate, judged
from holdfast.history.columns import OK, History
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker

_FREE, _HELD = 0, 1


class Mutex:
    """`nonlinearizable`: no order lets each client take a free lock and release a held one."""

    options: type[Frozen] = LinearOptions

    def judge(self, history: History, options: Any) -> Checked:
        """Judge."""
        return judged(history, _OPERATIONS, "mutex", _FREE, options.budget)


def _turn(old: int, new: int) -> Translate:
    def operation(history: History, row: int, pair: int) -> Op:
        is_sure = pair >= 0 and history.type[pair] == OK
        return Op(Does.CAS, old, new, row, pair if is_sure else None)

    return operation


_OPERATIONS: Mapping[str, Translate] = {
    "acquire": _turn(_FREE, _HELD), "release": _turn(_HELD, _FREE),
}

CHECKER: HistoryChecker = Mutex()
