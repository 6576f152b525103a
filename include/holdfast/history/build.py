"""Turn rows into columns, as they are read."""

from array import array
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from holdfast.errors import SpecError
from holdfast.history.columns import INFO, INVOKE, NEMESIS, NIL, NO_TIME, TYPES, History
from holdfast.history.pairs import Rows, paired
from holdfast.history.values import Values, ints, small

_TYPE = {name: code for code, name in enumerate(TYPES)}
_TYPE |= {f":{name}": code for name, code in _TYPE.items()}
_NAMED = 1 << 30
"""The first number of a process that the file gives a name."""
_MOST_FS = 255
_CURE = "mend the line, or have the history written anew"


class Row(msgspec.Struct, gc=False):
    """One line of a history, as the file has it; what it does not tell is None."""

    type: Any = None
    process: Any = None
    f: Any = None
    value: Any = None
    time: Any = None
    index: Any = None
    key: Any = None


class Builder:
    """Takes rows in the order of a file, each with its line; what is wrong is a SpecError there.

    `keys_are_text`: the format writes integer keys of maps as text (JSON). `is_ordered`: the order
    of the file is that of time.
    """

    def __init__(
        self, name: str, *, keys_are_text: bool = False, is_ordered: bool = True
    ) -> None:
        self._name, self._is_ordered = name, is_ordered
        self._values = Values(keys_are_text=keys_are_text)
        self._line, self._index = array("q"), array("q")
        self._process, self._type, self._f = array("i"), bytearray(), bytearray()
        self._time, self._key = array("q"), array("q")
        self._fs: dict[Any, int] = {}
        self._names: list[str] = []
        self._named: dict[str, int] = {}
        self._alone: dict[int, int] = {}
        self._strangers = NEMESIS

    def __len__(self) -> int:
        return len(self._line)

    def add(self, rows: Sequence[Row], lines: Sequence[int], *, plain: bool = False) -> None:
        """Take rows; `plain` promises that no list in them holds true or false."""
        if plain and self._take_at_once(rows):
            self._add_values(rows, lines)
            return
        for row, line in zip(rows, lines, strict=True):
            try:
                f = self._fs.get(row.f) if row.f.__hash__ else None
                f = self._f_of(row.f) if f is None else f
                self._take(row, f)
                self._values.add(row.value, self._names[f] == "txn", plain)
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                raise self.wrong(line, str(error)) from error
            self._line.append(line)

    def _add_values(self, rows: Sequence[Row], lines: Sequence[int]) -> None:
        add = self._values.add
        txns = {f for f in self._fs if self._names[self._fs[f]] == "txn"}
        try:
            for row in rows:
                add(row.value, row.f in txns, plain=True)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise self.wrong(lines[len(self._values) - len(self)], str(error)) from error
        self._line.extend(lines)

    def _take_at_once(self, rows: Sequence[Row]) -> bool:
        """Take all but the values, if all rows are plain: numbers, and names that are known."""
        try:
            names = dict.fromkeys(row.f for row in rows)
            if len(self._names) + len(names) > _MOST_FS:
                return False
            for f in names:
                self._f_of(f)
            kinds = bytes([_TYPE[row.type] for row in rows])
            fs = bytes([self._fs[row.f] for row in rows])
            process = array("i", [row.process for row in rows])
            index, time = (array("q", some) for some in (
                [row.index for row in rows], [row.time for row in rows]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return False  # each row by itself, then: that finds the line
        if not rows or min(process) < 0 or max(process) >= _NAMED \
                or any(row.key is not None for row in rows):
            return False
        self._type += kinds
        self._f += fs
        self._process.extend(process)
        self._index.extend(index)
        self._time.extend(time)
        self._key.extend(array("q", [NIL]) * len(rows))
        return True

    def _take(self, row: Row, f: int) -> None:
        kind = _TYPE.get(row.type) if isinstance(row.type, str) else None
        if kind is None:
            raise ValueError(f"the type is {row.type!r}, not invoke, ok, fail or info")
        process, index = row.process, row.index
        if type(process) is not int or not 0 <= process < _NAMED:
            process = self._process_of(process, kind, f)
        if index is None:
            index = self._index[-1] + 1 if self._index else 0
        self._type.append(kind)
        self._f.append(f)
        self._process.append(process)
        self._index.append(_whole(index, "index"))
        self._time.append(NO_TIME if row.time is None else _whole(row.time, "time"))
        self._key.append(self._values.code(row.key))

    def _f_of(self, f: Any) -> int:
        """The number of an f; `:read` and `read` are one."""
        if f is not None and not isinstance(f, str):
            raise TypeError(f"f is {f!r}, not a name")
        name = (f or "").removeprefix(":")
        if name not in self._names:
            if len(self._names) == _MOST_FS:
                raise ValueError(f"more than {_MOST_FS} kinds of operation")
            self._names.append(name)
        return self._fs.setdefault(f, self._names.index(name))

    def _process_of(self, process: Any, kind: int, f: int) -> int:
        """A number for what is no number: nothing, a name, or who breaks things."""
        if process is None:
            return self._stranger(kind, f)
        if not isinstance(process, str):
            raise TypeError(f"the process is {process!r}, not a whole number from 0 to {_NAMED}")
        name = process.removeprefix(":")
        if name == "nemesis":
            return NEMESIS
        return self._named.setdefault(name, _NAMED + len(self._named))

    def _stranger(self, kind: int, f: int) -> int:
        """A process of its own for each operation of which the file tells no process."""
        if kind == INVOKE:
            if f in self._alone:
                raise ValueError("two operations of one kind are open, and neither has a process")
            self._strangers -= 1
            self._alone[f] = self._strangers
            return self._strangers
        if f not in self._alone:
            if kind == INFO:
                return NEMESIS
            raise ValueError("a completion without an invocation")
        return self._alone.pop(f)

    def wrong(self, line: int, message: str, hint: str = _CURE) -> SpecError:
        """Say what is wrong with a line."""
        return SpecError(message, where=f"{self._name}: line {line}", hint=hint)

    def history(self) -> History:
        """Give all as columns; a history that contradicts itself is a SpecError with its line."""
        rows = Rows(
            ints(self._line), ints(self._index), np.array(self._process, np.int32),
            small(self._type), small(self._f), ints(self._time),
        )
        pair = paired(rows, self.wrong, is_ordered=self._is_ordered)
        shape, atom, offsets, items, transactions = self._values.columns()
        return History(
            rows.index, rows.process, rows.type, rows.f, rows.time_ns, pair, ints(self._key),
            shape, atom, offsets, items, transactions, tuple(self._names),
            self._values.atoms(), self._is_ordered,
        )


def _whole(value: Any, name: str) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise TypeError(f"{name} is {value!r}, not a whole number")
