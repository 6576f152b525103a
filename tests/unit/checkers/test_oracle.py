"""Small histories, judged by trying every order there is: the checkers say the same (R6, X2).

`HOLDFAST_ORACLE=20000` tries as many of each kind.
"""

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from support.histories import judged

TRIED = int(os.environ.get("HOLDFAST_ORACLE", "150"))
FOREVER = 10**9


@dataclass
class Op:
    """An operation: what was asked, what was told, and how it ended (`none`: not at all)."""

    f: str
    asked: Any
    told: Any
    kind: str
    begun: int = 0
    ended: int = FOREVER


def rows(dice: random.Random, ops: Sequence[Op]) -> list[tuple[int, str, str, Any]]:
    """Let at most three of them run at once; when each began and ended is written into it."""
    found, waiting, running = [], list(enumerate(ops)), list[int]()
    while waiting or running:
        if waiting and (not running or (len(running) < 3 and dice.random() < 0.5)):
            number, op = waiting.pop(0)
            op.begun = len(found)
            found.append((number, "invoke", op.f, op.asked))
            running.append(number)
            continue
        number = running.pop(dice.randrange(len(running)))
        op = ops[number]
        if op.kind == "none":
            continue
        if op.kind == "ok":
            op.ended = len(found)
        found.append((number, op.kind, op.f, op.told if op.kind == "ok" else op.asked))
    return found


def orders(ops: Sequence[Op], *, timed: bool) -> Iterator[Sequence[Op]]:
    """Every order of all that succeeded and any of what nobody knows; `timed` keeps real time."""
    sure = [op for op in ops if op.kind == "ok"]
    unsure = [op for op in ops if op.kind in ("info", "none")]
    for count in range(len(unsure) + 1):
        for some in itertools.combinations(unsure, count):
            yield from _orders([], [*sure, *some], timed=timed)


def _orders(before: list[Op], left: Sequence[Op], *, timed: bool) -> Iterator[Sequence[Op]]:
    if not left:
        yield before
    for op in left:
        rest = [other for other in left if other is not op]
        if not timed or all(other.ended >= op.begun for other in rest):
            yield from _orders([*before, op], rest, timed=timed)


def agree(
    made: Callable[[random.Random], Sequence[Op]], fits: Callable[[Sequence[Op]], bool],
    checker: str, *, timed: bool = True, **options: object,
) -> Mapping[tuple[bool, str], int]:
    """Count what is true beside what the checker said; unknown is no claim."""
    seen, dice = Counter[tuple[bool, str]](), random.Random(f"{checker} {options}")
    for _ in range(TRIED):
        ops = made(dice)
        history = rows(dice, ops)
        is_right = any(fits(order) for order in orders(ops, timed=timed))
        said = judged(checker, history, **options)
        assert said.outcome in ("unknown", "valid" if is_right else "invalid"), (history, said)
        seen[is_right, said.outcome] += 1
    return seen


def register(dice: random.Random) -> Sequence[Op]:
    """Up to six operations on two values."""
    found = []
    for _ in range(dice.randint(1, 6)):
        f, kind = dice.choice(["read", "read", "write", "cas"]), _kind(dice)
        value: Any = [dice.randint(0, 1), dice.randint(0, 1)]
        if f == "read":
            value = dice.choice([None, 0, 1])
        elif f == "write":
            value = value[0]
        found.append(Op(f, None if f == "read" else value, value, kind))
    return found


def _kind(dice: random.Random) -> str:
    return dice.choice(["ok"] * 5 + ["fail", "info", "none"])


def is_register(order: Sequence[Op]) -> bool:
    """Whether one register, empty at first, can have answered so."""
    held = None
    for op in order:
        if op.f == "read":
            if op.kind == "ok" and op.told != held:
                return False
        elif op.f == "write":
            held = op.asked
        elif held == op.asked[0]:
            held = op.asked[1]
        else:
            return False
    return True


def lists(dice: random.Random) -> Sequence[Op]:
    """Up to four transactions, run in some order, with a read changed at times; then all read."""
    state, used, found = dict[int, list[int]](), Counter[int](), list[Op]()
    for _ in range(dice.randint(2, 4)):
        asked = []
        for _ in range(dice.randint(1, 3)):
            key = dice.randint(0, 1)
            used[key] += 1
            asked.append(dice.choice([["append", key, used[key]], ["r", key, None]]))
        found.append(Op("txn", asked, asked, dice.choice(["ok"] * 6 + ["info", "fail"])))
    for op in dice.sample(found, len(found)):
        if op.kind == "ok" or (op.kind == "info" and dice.random() < 0.5):
            op.told = [_done(state, *step) for step in op.asked]
    if dice.random() < 0.5:
        _spoil(dice, found)
    last = [["r", key, state.get(key, [])] for key in (0, 1)]
    return [*found, Op("txn", [["r", 0, None], ["r", 1, None]], last, "ok")]


def _done(state: dict[int, list[int]], f: str, key: int, value: int) -> list[Any]:
    if f == "append":
        state.setdefault(key, []).append(value)
        return [f, key, value]
    return [f, key, list(state.get(key, []))]


def _spoil(dice: random.Random, found: Sequence[Op]) -> None:
    reads = [step for op in found if op.kind == "ok" for step in op.told
             if step[0] == "r" and step[2]]
    if reads:
        read = dice.choice(reads)
        read[2] = dice.choice([read[2][:-1], read[2][::-1]])


def are_lists(order: Sequence[Op]) -> bool:
    """Whether lists, empty at first, can have answered so."""
    state = dict[int, list[int]]()
    for op in order:
        for f, key, value in op.told if op.kind == "ok" else op.asked:
            if f == "append":
                state.setdefault(key, []).append(value)
            elif value is not None and value != state.get(key, []):
                return False
    return True


def test_registers_are_judged_as_by_trying_every_order():
    seen = agree(register, is_register, "register")
    assert min(seen[True, "valid"], seen[False, "invalid"]) > TRIED / 10


@pytest.mark.parametrize(("model", "timed"), [
    ("serializable", False), ("strict-serializable", True)])
def test_lists_are_judged_as_by_trying_every_order(model, timed):
    seen = agree(lists, are_lists, "list_append", timed=timed, model=model)
    assert min(seen[True, "valid"], seen[False, "invalid"]) > TRIED / 20
