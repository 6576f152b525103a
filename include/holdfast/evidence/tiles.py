"""Keep a Merkle tree as tiles of 256 hashes (C2SP tlog-tiles 0.1.0): grow it, read it. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from holdfast.errors import EvidenceError
from holdfast.evidence.merkle import SIZE, Complete, folded

WIDTH, HEIGHT = 256, 8
Tile: TypeAlias = Callable[[int, int], bytes]
"""`tile(level, number)`: its hashes one after the other; empty if there is none."""


def grown(size: int, leaves: Sequence[bytes], tile: Tile) -> dict[tuple[int, int], bytes]:
    """Append leaf hashes to a tree of `size`; the tiles that are new or fuller, by place."""
    changed: dict[tuple[int, int], bytes] = {}
    level = 0
    while leaves:
        number, at = divmod(size, WIDTH)
        held = bytearray(_held(tile, level, number, at))
        whole = []
        for leaf in leaves:
            held += leaf
            if len(held) == WIDTH * SIZE:
                changed[level, number] = bytes(held)
                whole.append(folded(hashes_of(bytes(held))))
                number, held = number + 1, bytearray()
        if held:
            changed[level, number] = bytes(held)
        level, size, leaves = level + 1, size // WIDTH, whole
    return changed


def complete_of(tile: Tile) -> Complete:
    """Read subtrees from tiles; EvidenceError where a tile is shorter than the tree needs."""
    def complete(height: int, number: int) -> bytes:
        level, within = divmod(height, HEIGHT)
        count = 1 << within
        at = number * count
        held = tile(level, at // WIDTH)[at % WIDTH * SIZE:(at % WIDTH + count) * SIZE]
        if len(held) != count * SIZE:
            raise EvidenceError(f"tile {path_of(level, at // WIDTH)} lacks hashes")
        return folded(hashes_of(held))

    return complete


def places(size: int) -> Iterator[tuple[int, int, int]]:
    """Give level, number and width of every tile of a tree."""
    level = 0
    while size:
        whole, rest = divmod(size, WIDTH)
        yield from ((level, number, WIDTH) for number in range(whole))
        if rest:
            yield level, whole, rest
        level, size = level + 1, whole


def path_of(level: int | str, number: int, width: int = WIDTH) -> str:
    """Name a tile, or with level `entries` a bundle of entries: `tile/0/x001/234.p/7`."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{g}" for g in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == WIDTH else f".p/{width}")


def hashes_of(held: bytes) -> list[bytes]:
    """Take a tile apart."""
    return [held[i:i + SIZE] for i in range(0, len(held), SIZE)]


def bundled(entries: Sequence[bytes]) -> bytes:
    """Write entries as a tile of entries: each after its length, 16 bits, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _held(tile: Tile, level: int, number: int, at: int) -> bytes:
    """What the right edge holds; a fuller one (a checkpoint was lost) is cut to the size."""
    held = tile(level, number)[:at * SIZE] if at else b""
    if len(held) != at * SIZE:
        raise EvidenceError(f"tile {path_of(level, number)} is shorter than the log says")
    return held
