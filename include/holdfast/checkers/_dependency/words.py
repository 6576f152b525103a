"""Write transactions and their operations for people."""

from collections.abc import Collection, Sequence

from holdfast.checkers._dependency.txns import Txns
from holdfast.history.columns import TYPES, Kind, Shape

_SHOWN = 12
"""Elements of a list, or operations of a transaction, that are written out."""


def key_of(txns: Txns, op: int) -> str:
    """The key of a micro-operation."""
    return txns.history.atoms.text(int(txns.keys[txns.key[op]]))


def value_of(txns: Txns, op: int) -> str:
    """What was appended, written or read."""
    text = txns.history.atoms.text
    if txns.kind[op] != Kind.READ or txns.shape[op] == Shape.ATOM:
        return text(int(txns.atom[op]))
    codes = txns.read(op)
    if txns.shape[op] == Shape.NIL or not txns.told[op]:
        return "nothing" if txns.told[op] else "?"
    return f"[{' '.join(_shortened([text(code) for code in codes]))}]"


def op_text(txns: Txns, op: int) -> str:
    """One micro-operation: `append x 1`, `read x [1 2]`, `write x 3`."""
    return f"{Kind(txns.kind[op]).name.lower()} {key_of(txns, op)} {value_of(txns, op)}"


def ops_text(txns: Txns, txn: int, keys: Collection[int] = ()) -> str:
    """All that a transaction did; of a long one with these keys only, if there are any."""
    ops: Sequence[int] = txns.of(txn)
    if len(ops) > _SHOWN and keys:
        chosen = [op for op in ops if txns.key[op] in keys]
        parts = _shortened([op_text(txns, op) for op in chosen])
        return ", ".join([*parts, f"and {len(ops) - len(chosen)} more"])
    return ", ".join(_shortened([op_text(txns, op) for op in ops]))


def name_of(txns: Txns, txn: int) -> str:
    """Where the history tells of a transaction."""
    row = int(txns.row[txn])
    process = int(txns.process[txn])
    of = f" of process {process}" if process >= 0 else ""
    return f"the transaction at index {int(txns.history.index[row])}{of}"


def outcome_of(txns: Txns, txn: int) -> str:
    """What its client was told: ok, fail or info."""
    return TYPES[int(txns.outcome[txn])]


def _shortened(parts: list[str]) -> list[str]:
    if len(parts) <= _SHOWN:
        return parts
    half = _SHOWN // 2
    return [*parts[:half], "…", *parts[-half:]]
