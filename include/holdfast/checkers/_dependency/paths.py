"""Walk paths in the very order in which Elle walks them, so that cycles get the names it gives.

Of each kind Elle takes the first cycle that it meets. It walks an edge for any of its reasons and
explains it by the best one, so that a cycle may turn out to be of another kind; then it is not told
(of the kinds with anti-dependencies) or told as what it is (of the others). Which is the first
depends on the order of a hash trie over the rows' numbers, which is followed here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from holdfast.checkers._dependency.graph import RW

_BITS = 5
_WORD = 0xFFFFFFFF


def trie_order(numbers: Iterable[int]) -> list[int]:
    """Put numbers in the order of a compressed hash trie: entries of a node, then its children."""
    return list(_in_trie([(_mixed(number), number) for number in numbers], 0))


@cache
def _mixed(number: int) -> int:
    """Murmur3 of a row's number, widened and folded, as the trie of Elle's graphs has it."""
    hashed = 0
    for half in (number & _WORD, number >> 32 & _WORD) if number else ():
        word = _turned(half * 0xCC9E2D51 & _WORD, 15) * 0x1B873593 & _WORD
        hashed = (_turned(hashed ^ word, 13) * 5 + 0xE6546B64) & _WORD
    if number:
        hashed ^= 8
        hashed = (hashed ^ hashed >> 16) * 0x85EBCA6B & _WORD
        hashed = (hashed ^ hashed >> 13) * 0xC2B2AE35 & _WORD
        hashed ^= hashed >> 16
    hashed ^= _WORD if hashed >> 31 else 0
    hashed ^= (hashed >> 20) ^ (hashed >> 12)
    return hashed ^ (hashed >> 7) ^ (hashed >> 4)


def _turned(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _WORD


def _in_trie(items: Sequence[tuple[int, int]], shift: int) -> Iterator[int]:
    if shift > 32 or len(items) == 1:
        yield from (number for _, number in items)
        return
    slots = dict[int, list[tuple[int, int]]]()
    for item in items:
        slots.setdefault(item[0] >> shift & 31, []).append(item)
    ordered = [slots[slot] for slot in sorted(slots)]
    yield from (slot[0][1] for slot in ordered if len(slot) == 1)
    for slot in ordered:
        if len(slot) > 1:
            yield from _in_trie(slot, shift + _BITS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of cycle: what may be walked freely, what must be met once, and how often rw.

    Where rw is not among `legal`, one may be taken (`alone`), or any that are no neighbours
    (`apart`).
    """

    legal: int
    required: tuple[int, ...] = ()
    anti: int = 0
    alone: bool = False
    apart: bool = False

    @property
    def every(self) -> int:
        """All reasons that count for the kind."""
        found = self.legal | (RW if self.anti else 0)
        for bits in self.required:
            found |= bits
        return found


_NONE, _SINGLE, _FREE, _TAKEN = range(4)

Path = tuple[tuple[int, ...], int, tuple[int, ...], int, int]
"""Nodes; those left, as bits; what must still be met; how many rw; where it stands with them."""

Network = Mapping[int, Mapping[int, int]]
"""Nodes, the nodes after each of them, and why; in the order of the trie once it is projected."""


class Spent(Exception):
    """The budget is used up."""


class Paths:
    """Paths through one component, whose nodes are the rows' numbers."""

    def __init__(self, network: Network, spend: Callable[[int], None]) -> None:
        self._network = network
        self._place = {node: 1 << at for at, node in enumerate(network)}
        self._spend = spend

    def first(self, wanted: Wanted) -> Sequence[int] | None:
        """The first cycle of a kind, from whichever node comes first."""
        network = _projected(self._network, wanted.every)
        for start in network:
            found = self._from(network, wanted, start)
            if found is not None:
                return found
        return None

    def _from(self, network: Network, wanted: Wanted, start: int) -> Sequence[int] | None:
        """The first cycle met by paths from a node, the shortest first."""
        mode = _SINGLE if wanted.alone else _FREE if wanted.apart else _NONE
        paths: list[Path] = [((start,), 0, wanted.required, wanted.anti, mode)]
        while paths:
            going = []
            for path in paths:
                nodes, left, required, anti, mode = path
                if not left & self._place[nodes[-1]]:
                    going.append(path)
                elif not required and not anti and mode != _TAKEN:
                    cycle = self._closed(network, wanted, nodes)
                    if cycle is not None:
                        return cycle
            paths = [longer for path in going for longer in self._longer(network, wanted, path)]
        return None

    def _closed(
        self, network: Network, wanted: Wanted, nodes: tuple[int, ...]
    ) -> Sequence[int] | None:
        """A path that came back to a node: the cycle itself, or one within it."""
        if nodes[0] == nodes[-1]:
            return nodes[:-1]
        kept = nodes[nodes.index(nodes[-1]):]
        inside = set(kept)
        inner = {
            n: {m: network[n][m] for m in trie_order(network[n].keys() & inside)} for n in kept}
        return next(
            (c for c in (self._from(inner, wanted, n) for n in kept) if c is not None), None)

    def _longer(self, network: Network, wanted: Wanted, path: Path) -> Iterator[Path]:
        """All that a path can become by one more edge."""
        nodes, left, *_ = path
        left |= self._place[nodes[-1]]
        after = network[nodes[-1]]
        self._spend(len(after))
        for node, edge in after.items():
            for taken in _taken(wanted, path, edge):
                yield ((*nodes, node), left, *taken)


def _projected(network: Network, bits: int) -> dict[int, dict[int, int]]:
    found = dict[int, dict[int, int]]()
    for node, after in network.items():
        kept = {other: why & bits for other, why in after.items() if why & bits}
        if kept:
            found.setdefault(node, {}).update(kept)
            for other in kept:
                found.setdefault(other, {})
    return {
        node: {other: found[node][other] for other in trie_order(found[node])}
        for node in trie_order(found)
    }


def _taken(wanted: Wanted, path: Path, edge: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """The ways in which an edge can be taken: as rw, as what is required, or as anything else."""
    nodes, _, required, anti, mode = path
    special = RW if anti or mode in (_SINGLE, _FREE) else 0
    if edge & special:
        yield from _step(wanted, path, RW)
    if anti and len(nodes) == 1:
        return
    needed = 0
    for bits in required:
        needed |= bits
    needed &= ~special
    for bit in _each(edge & needed):
        yield from _step(wanted, path, bit)
    if required and len(nodes) == 1:
        return
    for bit in _each(edge & wanted.legal & ~special & ~needed):
        yield from _step(wanted, path, bit)
        return


def _each(bits: int) -> Iterator[int]:
    while bits:
        yield bits & -bits
        bits &= bits - 1


def _step(wanted: Wanted, path: Path, bit: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Take an edge for one reason, if that is allowed."""
    _, _, required, anti, mode = path
    met = next((at for at, bits in enumerate(required) if bits & bit), None)
    if met is not None:
        required = required[:met] + required[met + 1:]
    less = max(0, anti - 1) if bit == RW else anti
    if bit & wanted.legal:
        yield required, less, _FREE if mode == _TAKEN else mode
    elif mode == _SINGLE:
        yield required, 0, _NONE
    elif mode == _FREE:
        yield required, less, _TAKEN
