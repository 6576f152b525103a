"""A disk that can be filled: refused where it cannot be, and gone with the shop (F3)."""

import os
from pathlib import Path

import pytest

from shop.errors import ShopError
from shop.places import Places
from shop.postgres import small_disk


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.data("x").parent.mkdir(parents=True)
    return places


def test_who_is_not_root_is_told_so(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ShopError, match="only root may do that"):
        small_disk.prepare(places)
    assert not small_disk.image(places, small_disk.NODE).exists()


def test_what_mount_says_is_handed_on(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(small_disk, "_TRIAL", "echo 'no loop device' >&2; exit 32")
    monkeypatch.setattr(small_disk, "program", lambda _: "true")
    with pytest.raises(ShopError, match="no small disk can be mounted here"):
        small_disk.prepare(places)


def test_a_node_without_an_image_stays_where_it_is(places: Places) -> None:
    space = Path("/proc/self/ns/mnt").readlink()
    small_disk.enter(places, "a")
    assert space == Path("/proc/self/ns/mnt").readlink()
