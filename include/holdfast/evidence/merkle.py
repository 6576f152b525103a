"""The Merkle tree of RFC 6962, section 2.1: roots, inclusion and consistency. Pure.

`Complete` gives the hash of a whole subtree: `complete(height, number)` is the tree hash of the
leaves from `number * 2**height` on, `2**height` of them.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

Complete: TypeAlias = Callable[[int, int], bytes]
SIZE = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash what the log holds at one place."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return hashlib.sha256(b"\1" + left + right).digest()


def folded(hashes: Sequence[bytes]) -> bytes:
    """Hash 1, 2, 4, ... neighbours of one height into the subtree above them."""
    level = hashes
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def root(size: int, complete: Complete) -> bytes:
    """Give the root of the first `size` leaves."""
    return _span(0, size, complete) if size else EMPTY


def inclusion(index: int, size: int, complete: Complete) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves: PATH(m, D[n]), leaf's side first."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof, start = list[bytes](), 0
    while size > 1:
        half = _half(size)
        if index < half:
            proof.append(_span(start + half, size - half, complete))
            size = half
        else:
            proof.append(_span(start, half, complete))
            start, index, size = start + half, index - half, size - half
    return proof[::-1]


def consistency(old: int, new: int, complete: Complete) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with that of `old`: PROOF(m, D[n])."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not begin with one of {old}")
    proof, start, is_known = list[bytes](), 0, True
    if old in (0, new):
        return proof
    while old != new:
        half = _half(new)
        if old <= half:
            proof.append(_span(start + half, new - half, complete))
            new = half
        else:
            proof.append(_span(start, half, complete))
            start, old, new, is_known = start + half, old - half, new - half, False
    if not is_known:
        proof.append(_span(start, new, complete))
    return proof[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Give the root that the proof leads to (RFC 9162, 2.1.3.2); None if it fits no such tree."""
    if not 0 <= index < size:
        return None
    found, last = leaf, size - 1
    for part in proof:
        if last == 0:
            return None
        if index % 2 or index == last:
            found = node_hash(part, found)
            while index and index % 2 == 0:
                index, last = index >> 1, last >> 1
        else:
            found = node_hash(found, part)
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]
) -> bool:
    """Say whether the tree `new` (size, root) begins with `old` (RFC 9162, 2.1.4.2)."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size > new_size or (old_size in (0, new_size) and proof):
        return False
    if old_size == new_size:
        return old_root == new_root
    if old_size == 0:
        return old_root == EMPTY
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return _roots(old_size - 1, new_size - 1, path) == (old_root, new_root)


def _roots(index: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Walk up from the old tree's right edge; both roots on the way, None if the path misfits."""
    while index % 2:
        index, last = index >> 1, last >> 1
    if not path:
        return None
    was = now = path[0]
    for part in path[1:]:
        if last == 0:
            return None
        if index % 2 or index == last:
            was, now = node_hash(part, was), node_hash(part, now)
            while index and index % 2 == 0:
                index, last = index >> 1, last >> 1
        else:
            now = node_hash(now, part)
        index, last = index >> 1, last >> 1
    return (was, now) if last == 0 else None


def _span(start: int, size: int, complete: Complete) -> bytes:
    """Hash leaves from a place where RFC 6962 splits: left parts are whole subtrees."""
    parts = []
    while size & (size - 1):
        half = _half(size)
        parts.append(complete(half.bit_length() - 1, start // half))
        start, size = start + half, size - half
    found = complete(size.bit_length() - 1, start // size)
    for part in reversed(parts):
        found = node_hash(part, found)
    return found


def _half(size: int) -> int:
    """Give the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)

