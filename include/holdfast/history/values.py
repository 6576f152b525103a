"""Turn the values of rows into columns, as they are read."""

import re
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.history.columns import ATOMS, NIL, Atoms, Bytes, Ints, Kind, Shape, Transactions
from holdfast.history.edn import Elements, Keyword, written

_KINDS = {name: int(kind) for kind, names in (
    (Kind.APPEND, ("append", ":append")), (Kind.READ, ("r", ":r", "read", ":read")),
    (Kind.WRITE, ("w", ":w", "write", ":write")),
) for name in names}
_NIL, _ATOM, _LIST, _MAP, _TXN = (int(shape) for shape in Shape)
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")


class Interner:
    """Gives equal values equal codes; those of `known` stay as they are."""

    def __init__(self, known: Atoms) -> None:
        self._codes = {text: ATOMS + n for n, text in enumerate(known.table)}
        self._strings: dict[str, int] = {}

    def code(self, value: Any) -> int:
        """The code of a value."""
        kind = type(value)
        if kind is int and -ATOMS < value < ATOMS:
            return int(value)
        if kind is str:
            found = self._strings.get(value)
            if found is None:
                found = self._strings[value] = self._of(written(value))
            return found
        return NIL if value is None else self._of(written(value))

    def _of(self, text: str) -> int:
        return self._codes.setdefault(text, ATOMS + len(self._codes))

    def atoms(self) -> Atoms:
        """All of them."""
        return Atoms(tuple(self._codes))


class Values:
    """The columns of values; `keys_are_text`: the format writes integer keys of maps as text."""

    def __init__(self, known: Atoms | None = None, *, keys_are_text: bool = False) -> None:
        self._keys_are_text = keys_are_text
        self._interner = Interner(known or Atoms())
        self.code = self._interner.code
        self._shape, self._atom = bytearray(), array("q")
        self._item_ends, self._items = array("q", [0]), array("q")
        self._mop_ends, self._kind, self._key = array("q", [0]), bytearray(), array("q")
        self._mop_shape, self._mop_atom = bytearray(), array("q")
        self._read_ends, self._reads = array("q", [0]), array("q")

    def __len__(self) -> int:
        return len(self._shape)

    def add(self, value: Any, is_txn: bool, plain: bool) -> None:
        """Take the value of the next row; `plain` promises that no list holds true or false."""
        shape, atom, kind = _ATOM, NIL, type(value)
        if value is None:
            shape = _NIL
        elif kind is int and -ATOMS < value < ATOMS:
            atom = value
        elif kind is list and (is_txn or value) and _is_transaction(value):
            shape = _TXN
            self._transaction(value, plain)
        elif kind is list or kind is Elements:
            shape = _LIST
            self._extend(self._items, value, plain)
        elif kind is dict:
            shape = _MAP
            self._map(value)
        else:
            atom = self.code(value)
        self._shape.append(shape)
        self._atom.append(atom)
        self._item_ends.append(len(self._items))
        self._mop_ends.append(len(self._kind))

    def _transaction(self, value: Sequence[Any], plain: bool) -> None:
        code, key_of = self.code, self._key.append
        for micro in value:
            key = micro[1]
            self._kind.append(_KINDS[micro[0]])
            key_of(key if type(key) is int and -ATOMS < key < ATOMS else code(key))
            what = micro[2] if len(micro) > 2 else None
            kind, shape, atom = type(what), _ATOM, NIL
            if what is None:
                shape = _NIL
            elif kind is list or kind is Elements:
                shape = _LIST
                self._extend(self._reads, what, plain)
            else:
                atom = what if kind is int and -ATOMS < what < ATOMS else code(what)
            self._mop_shape.append(shape)
            self._mop_atom.append(atom)
            self._read_ends.append(len(self._reads))

    def _extend(self, column: "array[int]", values: Sequence[Any], plain: bool) -> None:
        """Add the codes of a list; nearly always all are small integers."""
        begun = len(column)
        if plain:
            try:
                column.extend(values)
                if not values or (max(values) < ATOMS and min(values) > -ATOMS):
                    return
            except (TypeError, OverflowError):
                pass
            del column[begun:]
        column.extend(map(self.code, values))

    def _map(self, value: dict[Any, Any]) -> None:
        for key, content in value.items():
            is_number = self._keys_are_text and _INTEGER.fullmatch(key)
            self._items.append(int(key) if is_number else self.code(key))
            self._items.append(self.code(content))

    def atoms(self) -> Atoms:
        """What codes stand for."""
        return self._interner.atoms()

    def columns(self) -> tuple[Bytes, Ints, Ints, Ints, Transactions]:
        """Shape, atom, item offsets, items, transactions."""
        return (
            small(self._shape), ints(self._atom), ints(self._item_ends), ints(self._items),
            Transactions(
                ints(self._mop_ends), small(self._kind), ints(self._key),
                small(self._mop_shape), ints(self._mop_atom), ints(self._read_ends),
                ints(self._reads),
            ),
        )


def _is_transaction(value: Sequence[Any]) -> bool:
    """Whether it is a list of micro-operations: [kind, key, value]."""
    for micro in value:
        if type(micro) is not list or not 2 <= len(micro) <= 3:
            return False
        name = micro[0]
        if (type(name) is not str and type(name) is not Keyword) or name not in _KINDS:
            return False
    return True


def ints(column: "array[int]") -> Ints:
    """The numbers, without copying them."""
    found = np.frombuffer(column, np.int64) if column else np.empty(0, np.int64)
    found.flags.writeable = False
    return found


def small(column: bytearray) -> Bytes:
    """The bytes, without copying them."""
    found = np.frombuffer(column, np.uint8)
    found.flags.writeable = False
    return found
