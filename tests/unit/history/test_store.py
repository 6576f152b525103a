"""Columns kept in a file are the history again (R6)."""

import dataclasses
import io
import zipfile

import numpy as np
import pytest

from holdfast.errors import SpecError
from holdfast.history.columns import Transactions
from holdfast.history.open import open_history
from holdfast.history.store import save
from support.histories import done, history

ROWS = [
    *done(0, "txn", [["append", "x", 1], ["r", 2, None]], [["append", "x", 1], ["r", 2, [5, "y"]]]),
    *done(1, "read", None, {"a": 1.5}), *done(1, "read", None, [1, 2, 3]), (2, "invoke", "w", "é"),
]


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "h.npz"
    save(history(*ROWS), path)
    return path


def same(one, other):
    for field in dataclasses.fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, Transactions):
            same(left, right)
        elif isinstance(left, np.ndarray):
            assert left.dtype == right.dtype and left.tolist() == right.tolist(), field.name
        else:
            assert left == right, field.name


def test_it_is_the_same_history(kept):
    found = open_history(kept)
    assert "npz" == found.format
    same(history(*ROWS), found.history)


def test_nothing_can_be_changed(kept):
    with pytest.raises(ValueError, match="read-only"):
        open_history(kept).history.index[0] = 7


def changed(path, **columns):
    with np.load(path) as old:
        told = {name: old[name] for name in old.files} | columns
    np.savez(path, **told)


@pytest.mark.parametrize(("columns", "told"), [
    ({"about": np.array([9, 1])}, "version 9 is not known"),
    ({"about": np.zeros(0, np.int64)}, "about is no column"),
    ({"about": np.array([1])}, "about is no column"), ({"about": np.array(1)}, "about is no"),
    ({"index": np.arange(3)}, "different lengths"),
    ({"index": np.arange(7.0)}, "no column of its kind"),
    ({"micro_kind": np.zeros(1, np.uint8)}, "different lengths"),
    ({"item_offsets": np.arange(8) * 3}, "lists that overlap"),
    ({"type": np.full(7, 9, np.uint8)}, "stands for nothing"),
    ({"atom": np.full(7, 2**62 + 99)}, "not there"),
    ({"type": np.full(7, 1, np.uint8)}, "completes what it did not invoke"),
])
def test_columns_that_contradict_each_other_are_refused(kept, columns, told):
    changed(kept, **columns)
    with pytest.raises(SpecError, match=told):
        open_history(kept)


def test_what_would_unfold_without_bound_is_refused(kept):
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("index.npy", b"0" * 10**6)
    with pytest.raises(SpecError, match="compressed"):
        open_history(kept)


def test_objects_are_never_unpickled(kept):
    content = io.BytesIO()
    np.save(content, np.array([object()]), allow_pickle=True)
    with zipfile.ZipFile(kept, "w") as packed:
        packed.writestr("index.npy", content.getvalue())
    with pytest.raises(SpecError, match="damaged"):
        open_history(kept)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_is_refused(kept, share):
    content = kept.read_bytes()
    kept.write_bytes(content[:int(len(content) * share)])
    with pytest.raises(SpecError, match="damaged"):
        open_history(kept)


@pytest.mark.parametrize("name", ["foreign", "about"])
def test_what_is_no_column_is_refused(kept, name):
    with zipfile.ZipFile(kept, "a") as packed:
        packed.writestr(name, "no array")
    with pytest.raises(SpecError, match="is no column of its kind"):
        open_history(kept)


def test_a_column_that_claims_to_be_longer_than_memory_is_refused(kept):
    with zipfile.ZipFile(kept) as packed:
        content = {one: packed.read(one) for one in packed.namelist()}
    column = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        column, {"descr": "<i8", "fortran_order": False, "shape": (10**13,)})
    content["index.npy"] = column.getvalue()
    with zipfile.ZipFile(kept, "w") as packed:
        for one, told in content.items():
            packed.writestr(one, told)
    with pytest.raises(SpecError, match="damaged"):
        open_history(kept)
