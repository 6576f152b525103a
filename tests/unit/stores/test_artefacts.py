"""Artefacts on disk."""

import hashlib

import pytest

from holdfast.errors import HoldfastError
from holdfast.stores.artefacts import FileArtefacts


@pytest.fixture
def artefacts(tmp_path):
    return FileArtefacts(tmp_path)


def test_a_file_is_kept_with_its_digest(artefacts):
    kept = artefacts.put("s--1", "book.json", b"{}", "application/json")
    assert (b"{}", "sha256:" + hashlib.sha256(b"{}").hexdigest(), 2) == (
        artefacts.path(kept).read_bytes(), kept.digest, kept.size)


def test_files_are_listed_by_name_and_run(artefacts):
    for run, name in (("s--1", "b"), ("s--2", "c"), ("s--1", "a")):
        artefacts.put(run, name, b"x", "text/plain")
    assert ["a", "b"] == [a.name for a in artefacts.of("s--1")]


def test_the_same_name_again_replaces(artefacts):
    artefacts.put("s--1", "a", b"old", "text/plain")
    new = artefacts.put("s--1", "a", b"new", "text/plain")
    assert ([new], b"new") == (artefacts.of("s--1"), artefacts.path(new).read_bytes())


def test_a_run_without_files_has_none(artefacts):
    assert [] == artefacts.of("s--1")


@pytest.mark.parametrize(("run", "name"), [("../x", "a"), ("s--1", "../a"), ("s--1", "a/b"),
                                           ("s--1", ".hidden"), ("s--1", "")])
def test_a_name_cannot_lead_out_of_the_folder(artefacts, run, name):
    with pytest.raises(HoldfastError, match="cannot name an artefact"):
        artefacts.put(run, name, b"x", "text/plain")


def test_nothing_half_written_stays(artefacts, tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", _full)
    with pytest.raises(OSError, match="full"):
        artefacts.put("s--1", "a", b"x", "text/plain")
    assert [".lock"] == [p.name for p in (tmp_path / "s--1").iterdir()]


def _full(_):
    raise OSError("the disk is full")
