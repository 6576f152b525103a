"""Find what is wrong with single reads and updates of registers: all that needs no cycle."""

from typing import cast

import numpy as np

from holdfast.checkers._dependency.registers import NOBODY, Registers
from holdfast.checkers._dependency.sights import Sights
from holdfast.checkers._dependency.words import key_of, name_of, op_text, ops_text
from holdfast.history.columns import Ints


def look_at_reads(found: Registers) -> Sights:
    """Name every anomaly of reads and updates."""
    sights, txns = Sights(), found.txns

    def tell(op: int, what: str) -> str:
        return f"{name_of(txns, int(txns.txn[op]))} did {op_text(txns, op)}: {what}"

    reads = np.flatnonzero(found.is_read)
    aborted = (found.failed[found.version[reads]] != NOBODY) & (
        found.writer[found.version[reads]] == NOBODY)
    sights.add("G1a", reads[aborted],
               lambda op: tell(op, "written by a transaction that failed"))
    sights.add("G1b", _midway(found, reads),
               lambda op: tell(op, "its writer wrote the key again later"))
    sights.add("internal", txns.txn[_contradicted(found)],
               lambda txn: f"{name_of(txns, txn)} contradicts itself: {ops_text(txns, txn)}")
    sights.add("future-read", txns.txn[_future(found, reads)],
               lambda txn: f"{name_of(txns, txn)} read what it wrote later: {ops_text(txns, txn)}")
    sights.add("lost-update", _lost(found),
               lambda op: tell(op, f"so did another one, and both then wrote {key_of(txns, op)}"))
    return sights


def unwritten(found: Registers) -> Ints:
    """Reads of values that no transaction tried to write."""
    reads = np.flatnonzero(found.is_read)
    version = found.version[reads]
    nobody = (found.writer[version] == NOBODY) & (found.failed[version] == NOBODY)
    return cast(Ints, reads[nobody & (version != found.initial[found.txns.key[reads]])])


def own_writes_lost(found: Registers) -> Ints:
    """Reads that show other than what the same transaction wrote last."""
    before = found.groups.before(found.groups.is_write_op)
    reads = np.flatnonzero(found.is_read & (before >= 0))
    return cast(Ints, reads[found.version[reads] != found.version[before[reads]]])


def _midway(found: Registers, reads: Ints) -> Ints:
    txns = found.txns
    writer = found.writer[found.version[reads]]
    writer = np.where(writer == NOBODY, found.failed[found.version[reads]], writer)
    followed = found.groups.is_followed[writer] & (writer >= 0)
    return cast(Ints, reads[followed & (txns.txn[writer] != txns.txn[reads])])


def _contradicted(found: Registers) -> Ints:
    known = found.is_read | found.groups.is_write_op
    before = found.groups.before(known)
    reads = np.flatnonzero(found.is_read & (before >= 0))
    return cast(Ints, reads[found.version[reads] != found.version[before[reads]]])


def _future(found: Registers, reads: Ints) -> Ints:
    writer, txn = found.writer[found.version[reads]], found.txns.txn
    return cast(Ints, reads[(writer > reads) & (txn[writer] == txn[reads])])


def _lost(found: Registers) -> Ints:
    first = found.groups.read_then_append(found.is_read)
    order = np.argsort(found.version[first], kind="stable")
    version = found.version[first[order]]
    return cast(Ints, first[order[1:][version[1:] == version[:-1]]])
