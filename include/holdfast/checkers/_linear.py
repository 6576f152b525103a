"""Find an order of operations that explains what each was told (Wing, Gong and Lowe).

Depth first, with a memory of places already seen: which operations are placed, and the state they
lead to. What nobody knows about (`info`) need not be placed. It is tried last, the earliest of
several alike first, and only where it changes the state and the next operation looks at that state:
without this each doubles the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Does(IntEnum):
    """What an operation does to the state."""

    READ = 0  # it is `a`
    WRITE = 1  # it becomes `a`
    CAS = 2  # it was `a` and becomes `b`
    APPEND = 3  # `a` is put behind it


@dataclass(frozen=True, slots=True)
class Op:
    """One operation, from `begun` until `ended` (rows); without an end nobody knows about it."""

    does: Does
    a: Any
    b: Any
    begun: int
    ended: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """Whether there is such an order; None: the budget was too small.

    `placed` is the longest row of operations that fits; `stuck` the one that fits nowhere after it,
    and `state` what that one met.
    """

    is_linear: bool | None
    steps: int
    placed: int = 0
    stuck: Op | None = None
    state: Any = None


_HEAD = 0
_READ, _WRITE, _CAS = int(Does.READ), int(Does.WRITE), int(Does.CAS)
_DIGIT = 20
"""Bits for how many of several unknown operations alike are placed."""


class _Search:
    """The list of beginnings and ends not placed yet, and the way to here."""

    def __init__(self, ops: Sequence[Op], initial: Any, budget: int) -> None:
        sure = [op for op in ops if op.ended is not None]
        self.sure, self.left, self.best = sure, len(sure), len(sure)
        events = sorted([(op.begun, n, False) for n, op in enumerate(sure)]
                        + [(op.ended or 0, n, True) for n, op in enumerate(sure)])
        self.op = [-1, *(n for _, n, _ in events)]
        self.is_end = [True, *(end for _, _, end in events)]
        self.at = [0, *(row for row, _, _ in events)]
        self.next, self.prev = list(range(1, len(events) + 2)), list(range(-1, len(events) + 1))
        self.end_of = [0] * len(sure)
        for entry in range(1, len(events) + 1):
            if self.is_end[entry]:
                self.end_of[self.op[entry]] = entry
        self.acts = [(int(op.does), op.a, op.b) for op in sure]
        self.unsure = _alike(ops)
        self.state, self.base, self.done, self.used, self.was_unsure = initial, 0, 0, 0, False
        self.seen: set[tuple[int, int, int, bool, Any]] = set()
        self.way: list[tuple[int, int, Any, int, int, int, bool]] = []
        self.steps, self.budget = 0, budget
        self.stuck: tuple[Op | None, Any] = (None, initial)

    def run(self) -> Found:
        entry, group = self.next[_HEAD], 0
        while self.left:
            if self.steps > self.budget:
                return Found(None, self.steps, len(self.sure) - self.best)
            if not self.is_end[entry]:
                entry = self.next[_HEAD] if self._place(entry) else self.next[entry]
            elif self._place_unsure(entry, group):
                entry, group = self.next[_HEAD], 0
            else:
                self._note(entry)
                back = self._back()
                if back is None:
                    op, state = self.stuck
                    return Found(False, self.steps, len(self.sure) - self.best, op, state)
                entry, group = back
        return Found(True, self.steps, len(self.sure))

    def _place(self, entry: int) -> bool:
        """Place a sure operation here, if it fits and was not tried with the same outcome."""
        self.steps += 1
        number = self.op[entry]
        does, a, b = self.acts[number]
        if does == _WRITE and self.was_unsure:
            return False  # nobody would have seen the unknown one
        state = self._after(does, a, b)
        if state is _REFUSED:
            return False
        base, done = self.base, self.done | 1 << (number - self.base)
        if done & 1:
            ones = (~done & done + 1).bit_length() - 1
            base, done = base + ones, done >> ones
        place = (base, done, self.used, False, state)
        if place in self.seen:
            return False
        self._go(place, entry, -1)
        self._lift(entry)
        self._lift(self.end_of[number])
        self.left -= 1
        return True

    def _place_unsure(self, entry: int, group: int) -> bool:
        """Place one that nobody knows about, begun before this end, from this group on."""
        for number in range(group, len(self.unsure)):
            (does, a, b), begun = self.unsure[number]
            nth = self.used >> (number * _DIGIT) & ((1 << _DIGIT) - 1)
            if nth == len(begun) or begun[nth] > self.at[entry]:
                continue
            self.steps += 1
            state = _REFUSED if does == _WRITE and self.was_unsure else self._after(does, a, b)
            if state is _REFUSED or state == self.state:
                continue
            place = (self.base, self.done, self.used + (1 << number * _DIGIT), True, state)
            if place not in self.seen:
                self._go(place, entry, number)
                return True
        return False

    def _after(self, does: int, a: Any, b: Any) -> Any:
        if does == _READ:
            return self.state if self.state == a else _REFUSED
        if does == _WRITE:
            return a
        if does == _CAS:
            return b if self.state == a else _REFUSED
        return self.state + a

    def _go(self, place: tuple[int, int, int, bool, Any], entry: int, group: int) -> None:
        self.seen.add(place)
        self.way.append((entry, group, self.state, self.base, self.done, self.used,
                         self.was_unsure))
        self.base, self.done, self.used, self.was_unsure, self.state = place

    def _back(self) -> tuple[int, int] | None:
        """Take the last one back; a read that fitted could not have been in the way of others."""
        while self.way:
            entry, group, self.state, self.base, self.done, self.used, self.was_unsure = \
                self.way.pop()
            if group >= 0:
                return entry, group + 1
            number = self.op[entry]
            self._restore(self.end_of[number])
            self._restore(entry)
            self.left += 1
            if self.acts[number][0] != _READ:
                return self.next[entry], 0
        return None

    def _note(self, entry: int) -> None:
        """Remember where most operations were placed."""
        if self.left < self.best or self.stuck[0] is None:
            self.best = self.left
            self.stuck = (self.sure[self.op[entry]], self.state)

    def _lift(self, entry: int) -> None:
        before, after = self.prev[entry], self.next[entry]
        self.next[before] = after
        if after < len(self.prev):
            self.prev[after] = before

    def _restore(self, entry: int) -> None:
        before, after = self.prev[entry], self.next[entry]
        self.next[before] = entry
        if after < len(self.prev):
            self.prev[after] = entry


class _Refused:
    """No state: the operation does not fit."""


_REFUSED = _Refused()


def _alike(ops: Sequence[Op]) -> list[tuple[tuple[int, Any, Any], list[int]]]:
    """Operations nobody knows about that do the same, each kind with its beginnings in order."""
    groups: dict[tuple[int, Any, Any], list[int]] = {}
    for op in ops:
        if op.ended is None and op.does is not Does.READ:
            groups.setdefault((int(op.does), op.a, op.b), []).append(op.begun)
    return [(does, sorted(begun)) for does, begun in groups.items()]


def linearize(ops: Sequence[Op], initial: Any, budget: int) -> Found:
    """Look for an order, for at most `budget` steps."""
    return _Search(ops, initial, budget).run()
