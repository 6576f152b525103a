"""Large histories of lists that are strict serializable: ten clients, overlapping."""

import json

import numpy as np

from holdfast.history.columns import (
    INVOKE,
    NIL,
    OK,
    Atoms,
    History,
    Kind,
    Shape,
    Transactions,
)

CLIENTS, LIVE, LONGEST = 10, 10, 16
"""Clients, keys in use at a time, appends to a key before it is replaced by a new one."""


def operations(size, seed=1):
    """Micro-operations of transactions that take effect one after the other, as arrays.

    Gives offsets by transaction, kinds, keys, elements, and for reads the length they saw.
    """
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 5, size)
    offsets = np.concatenate(([0], np.cumsum(count)))
    total = int(offsets[-1])
    slot, is_append = rng.integers(0, LIVE, total), rng.random(total) < 0.5
    order = np.argsort(slot, kind="stable")
    mine, before = slot[order], np.cumsum(is_append[order]) - is_append[order]
    starts = np.searchsorted(mine, np.arange(LIVE))
    before -= before[starts][mine]
    key, length = np.empty(total, np.int64), np.empty(total, np.int64)
    key[order] = mine + LIVE * (before // LONGEST)
    length[order] = before % LONGEST
    return offsets, is_append, key, length


def columns(size, seed=1):
    """A history of them; element n of a key is n, from 1 on."""
    offsets, is_append, key, length = operations(size, seed)
    total = len(key)
    rows = np.arange(2 * size)
    is_ok = rows >= 2 * CLIENTS * (rows // (2 * CLIENTS)) + CLIENTS
    txn = (rows // (2 * CLIENTS)) * CLIENTS + rows % CLIENTS
    count = np.diff(offsets)
    row_count = count[txn]
    row_offsets = np.concatenate(([0], np.cumsum(row_count)))
    op = np.arange(int(row_offsets[-1])) + np.repeat(offsets[txn] - row_offsets[:-1], row_count)
    told = np.repeat(is_ok, row_count)
    saw = np.where(told & ~is_append[op], length[op], 0)
    read_offsets = np.concatenate(([0], np.cumsum(saw)))
    reads = np.arange(int(read_offsets[-1])) - np.repeat(read_offsets[:-1], saw) + 1
    shape = np.where(is_append[op], Shape.ATOM, np.where(told, Shape.LIST, Shape.NIL))
    none = np.full(2 * size, NIL)
    assert total == int(offsets[-1])
    return History(
        index=rows, process=(rows % CLIENTS).astype(np.int32),
        type=np.where(is_ok, OK, INVOKE).astype(np.uint8), f=np.zeros(2 * size, np.uint8),
        time_ns=rows * 1000, pair=np.where(is_ok, rows - CLIENTS, rows + CLIENTS), key=none,
        shape=np.full(2 * size, Shape.TXN, np.uint8), atom=none,
        item_offsets=np.zeros(2 * size + 1, np.int64), items=np.zeros(0, np.int64),
        transactions=Transactions(
            row_offsets, np.where(is_append[op], Kind.APPEND, Kind.READ).astype(np.uint8),
            key[op], shape.astype(np.uint8), np.where(is_append[op], length[op] + 1, NIL),
            read_offsets, reads),
        fs=("txn",), atoms=Atoms(),
    )


def write_jsonl(size, path, seed=1):
    """The same as a file."""
    offsets, is_append, key, length = (a.tolist() for a in operations(size, seed))
    with path.open("w") as file:
        for row in range(2 * size):
            client, is_ok = row % CLIENTS, row % (2 * CLIENTS) >= CLIENTS
            txn = row // (2 * CLIENTS) * CLIENTS + client
            value = [
                ["append", key[n], length[n] + 1] if is_append[n]
                else ["r", key[n], list(range(1, length[n] + 1)) if is_ok else None]
                for n in range(offsets[txn], offsets[txn + 1])
            ]
            file.write(json.dumps({
                "index": row, "time": row * 1000, "type": "ok" if is_ok else "invoke",
                "process": client, "f": "txn", "value": value}) + "\n")
