"""The log's tree as tiles (C2SP tlog-tiles)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import EvidenceError
from holdfast.evidence.head import tree
from holdfast.evidence.merkle import inclusion, leaf_hash, root
from holdfast.evidence.tiles import bundled, complete_of, grown, hashes_of, path_of, places


def leaves(first, size):
    return [leaf_hash(str(n).encode()) for n in range(first, first + size)]


def nothing(_level, _number):
    return b""


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_a_tree_that_grows_in_steps_is_the_one_made_at_once(steps):
    kept, size = {}, 0
    for step in steps:
        kept |= grown(size, leaves(size, step), lambda level, n, k=kept: k.get((level, n), b""))
        size += step
    assert grown(0, leaves(0, size), nothing) == kept
    complete = complete_of(lambda level, n: kept.get((level, n), b""))
    assert root(size, tree(leaves(0, size))) == root(size, complete)


def test_proofs_are_read_from_three_levels_of_tiles():
    size = 66_000
    kept = grown(0, leaves(0, size), nothing)
    complete = complete_of(lambda level, n: kept[level, n])
    whole = tree(leaves(0, size))
    assert root(size, whole) == root(size, complete)
    assert inclusion(65_537, size, whole) == inclusion(65_537, size, complete)
    assert {(level, n): width for level, n, width in places(size)} == {
        place: len(hashes_of(held)) for place, held in kept.items()}


def test_the_tiles_of_70_000_are_those_of_the_specification():
    found = list(places(70_000))
    widths = {level: [w for at, _, w in found if at == level] for level in (0, 1, 2)}
    assert ([256] * 273 + [112], [256, 17], [1]) == (widths[0], widths[1], widths[2])


def test_a_tree_of_whole_tiles_has_no_edge():
    kept = grown(0, leaves(0, 256), nothing)
    assert [(0, 0, 256), (1, 0, 1)] == list(places(256))
    assert {(0, 0): 256, (1, 0): 1} == {at: len(hashes_of(held)) for at, held in kept.items()}


@pytest.mark.parametrize(("place", "path"), [
    ((0, 0), "tile/0/000"), ((0, 1_234_067), "tile/0/x001/x234/067"),
    ((2, 5, 17), "tile/2/005.p/17"), (("entries", 1000, 3), "tile/entries/x001/000.p/3")])
def test_a_tile_is_named_as_the_specification_says(place, path):
    assert path == path_of(*place)


def test_entries_are_bundled_behind_their_lengths():
    assert b"\0\1a\0\0\0\2bc" == bundled([b"a", b"", b"bc"])


def test_a_tile_that_lacks_hashes_is_told_by_its_name():
    with pytest.raises(EvidenceError, match="tile tile/0/000 is shorter"):
        grown(3, leaves(3, 1), nothing)
    with pytest.raises(EvidenceError, match="tile tile/0/000 lacks"):
        root(3, complete_of(nothing))


def test_an_edge_that_is_fuller_than_the_log_says_is_cut():
    kept = grown(0, leaves(0, 5), nothing)
    again = grown(3, leaves(3, 2), lambda level, n: kept[level, n])
    assert kept == again
