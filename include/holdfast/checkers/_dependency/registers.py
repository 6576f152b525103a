"""Know which transaction wrote each value of a register, and which read it."""

from dataclasses import dataclass

import numpy as np

from holdfast.checkers._dependency.groups import Groups
from holdfast.checkers._dependency.txns import Bools, Txns, dense
from holdfast.errors import CheckError
from holdfast.history.columns import FAIL, NIL, Ints, Kind, Shape

NOBODY = -1
"""Who wrote a version that no transaction tried to write: what was there in the beginning."""


@dataclass(frozen=True, slots=True)
class Registers:
    """Versions are pairs of key and value, numbered; `initial[k]` is nothing, of key `k`.

    `version` is that of each micro-operation, `is_read` says which of them are reads that tell
    something. Outside its transaction only the first of what it reads counts (`reads`), where it
    did not write the key before, and the last of what it writes (`writes`). `writer` names the
    write of each version, of transactions that may have happened, `failed` one that failed.
    """

    txns: Txns
    groups: Groups
    version: Ints
    key_of: Ints
    initial: Ints
    is_read: Bools
    reads: Ints
    writes: Ints
    writer: Ints
    failed: Ints

    @property
    def sizes(self) -> int:
        """How many versions there are."""
        return len(self.key_of)


def registers(txns: Txns) -> Registers:
    """Find the versions of each register; values must be written once at most."""
    if (txns.shape == Shape.LIST).any():
        raise CheckError("registers hold single values: for lists use list_append")
    groups = Groups.of(txns)
    keys = np.arange(len(txns.keys))
    number = dense(np.concatenate((txns.atom, [NIL])))[1]
    width = int(number.max()) + 1
    every = np.concatenate((txns.key * width + number[:-1], keys * width + number[-1]))
    codes, version = dense(every)
    is_write = txns.kind == Kind.WRITE
    is_read = ~is_write & txns.told & txns.is_ok[txns.txn]
    possible = is_write & (txns.outcome[txns.txn] != FAIL)
    first = groups.earliest(np.ones(len(txns.txn), dtype=bool))
    found = Registers(
        txns, groups, version[:len(txns.txn)], codes // width, version[len(txns.txn):], is_read,
        np.sort(first[is_read[first]]), np.sort(groups.latest(possible)),
        _by_version(version, possible, len(codes)),
        _by_version(version, is_write & ~possible, len(codes)),
    )
    _refuse_duplicates(found, possible)
    return found


def _by_version(version: Ints, chosen: Bools, size: int) -> Ints:
    writer = np.full(size, NOBODY)
    ops = np.flatnonzero(chosen)[::-1]
    writer[version[ops]] = ops
    return writer


def _refuse_duplicates(found: Registers, possible: Bools) -> None:
    """Where two transactions wrote a value that was read, nobody can tell which was seen."""
    txns, ops = found.txns, np.flatnonzero(possible)
    again = ops[txns.txn[found.writer[found.version[ops]]] != txns.txn[ops]]
    read = np.intersect1d(found.version[again], found.version[found.is_read])
    if len(read):
        op = int(found.writer[read[0]])
        text = txns.history.atoms.text
        raise CheckError(
            f"{text(int(txns.atom[op]))} was written to {text(int(txns.keys[txns.key[op]]))}"
            " by more than one transaction, and read: who was seen is not known")


def readers_by_version(found: Registers) -> tuple[Ints, Ints]:
    """Outer reads sorted by version, and where each version's begin (one more than versions)."""
    order = np.argsort(found.version[found.reads], kind="stable")
    reads = found.reads[order]
    starts = np.searchsorted(found.version[reads], np.arange(found.sizes + 1))
    return reads, starts
