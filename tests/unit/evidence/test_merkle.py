"""E1: the log's tree is that of RFC 6962, and its proofs prove."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence.head import tree
from holdfast.evidence.merkle import (
    EMPTY,
    consistency,
    inclusion,
    is_consistent,
    leaf_hash,
    node_hash,
    root,
    root_by_inclusion,
)

ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots of the first 0 to 8 of them: Certificate Transparency's own test vectors."""


def leaves(size):
    return [leaf_hash(str(n).encode()) for n in range(size)]


def mth(hashes):
    """The definition of RFC 6962, 2.1, word by word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(mth(hashes[:k]), mth(hashes[k:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    found = root(size, tree([leaf_hash(e) for e in ENTRIES[:size]]))
    assert ROOTS[size] == found.hex()


@given(st.integers(0, 300))
def test_a_root_is_what_the_standard_defines(size):
    assert mth(leaves(size)) == root(size, tree(leaves(size)))


@given(st.data(), st.integers(1, 300))
def test_every_leaf_is_proven_and_no_other(data, size):
    index = data.draw(st.integers(0, size - 1))
    every = leaves(size)
    proof = inclusion(index, size, tree(every))
    assert root(size, tree(every)) == root_by_inclusion(every[index], index, size, proof)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index or size == 1))
    if other != index:
        assert root(size, tree(every)) != root_by_inclusion(every[index], other, size, proof)


@given(st.data(), st.integers(0, 300))
def test_a_tree_that_has_only_grown_is_consistent(data, new):
    old = data.draw(st.integers(0, new))
    every = leaves(new)
    was, now = (old, root(old, tree(every[:old]))), (new, root(new, tree(every)))
    proof = consistency(old, new, tree(every))
    assert is_consistent(was, now, proof)
    forged = (old, hashlib.sha256(b"another").digest())
    assert not is_consistent(forged, now, proof)


@given(st.data(), st.integers(2, 200))
def test_a_proof_with_a_changed_part_proves_nothing(data, new):
    old = data.draw(st.integers(1, new - 1))
    every = leaves(new)
    proof = consistency(old, new, tree(every))
    at = data.draw(st.integers(0, len(proof) - 1))
    forged = [*proof[:at], bytes(32), *proof[at + 1:]]
    was, now = (old, root(old, tree(every[:old]))), (new, root(new, tree(every)))
    assert not is_consistent(was, now, forged)
    assert not is_consistent(was, now, proof[:-1])
    assert not is_consistent(was, now, [*proof, bytes(32)])


def test_what_cannot_be_is_refused():
    whole = tree(leaves(4))
    for ask in (lambda: inclusion(4, 4, whole), lambda: inclusion(-1, 4, whole),
                lambda: consistency(5, 4, whole), lambda: consistency(-1, 4, whole)):
        with pytest.raises(ValueError, match="tree"):
            ask()


def test_a_proof_of_another_shape_leads_nowhere():
    leaf = leaf_hash(b"x")
    assert root_by_inclusion(leaf, 4, 4, []) is None
    assert root_by_inclusion(leaf, 0, 4, []) is None
    assert root_by_inclusion(leaf, 0, 1, [leaf]) is None


def test_trees_that_cannot_follow_are_not_consistent():
    four, eight = ((n, root(n, tree(leaves(n)))) for n in (4, 8))
    assert not is_consistent(eight, four, [])
    assert not is_consistent(four, four, [bytes(32)])
    assert is_consistent(four, four, [])
    assert not is_consistent((0, EMPTY), four, [bytes(32)])
    assert is_consistent((0, EMPTY), four, [])
    assert not is_consistent((0, bytes(32)), four, [])
    assert not is_consistent((3, bytes(32)), four, [])
