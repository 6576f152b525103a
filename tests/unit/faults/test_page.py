"""A page's damage is its own cure, and only our own is taken for ours (F3)."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from holdfast.clients import processes
from holdfast.errors import TransientFaultError
from holdfast.faults.postgres import _page
from holdfast.faults.postgres._page import Page

SIZE = 8192


def page(lsn: int, upper: int = 4000) -> bytes:
    header = struct.pack("<QHHHHHHI", lsn, 0xABCD, 4, 200, upper, SIZE, SIZE | 4, 0)
    return header + os.urandom(SIZE - len(header))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Blocks 0 and 3 are the oldest; 2 is new and empty."""
    file = tmp_path / "16384"
    file.write_bytes(page(10) + page(90) + bytes(SIZE) + page(20) + page(80))
    return file


def ours(file: Path, block: int = 3, lease: str = "L-1") -> Page:
    return Page(file, block, SIZE, _page.mask(lease))


def test_laid_twice_nothing_has_changed(file: Path) -> None:
    before = file.read_bytes()
    ours(file).lay()
    assert ours(file).is_ours() and not ours(file).is_whole()
    ours(file).lay()
    assert ours(file).is_whole() and not ours(file).is_ours()
    assert before == file.read_bytes()


def test_the_damage_stays_within_twelve_bytes_of_the_header(file: Path) -> None:
    before = file.read_bytes()
    ours(file).lay()
    changed = [n for n, (a, b) in enumerate(zip(before, file.read_bytes(), strict=True)) if a != b]
    assert changed == list(range(3 * SIZE + 8, 3 * SIZE + 20))


def test_damage_of_another_lease_is_not_ours(file: Path) -> None:
    ours(file, lease="L-2").lay()
    assert not ours(file).is_ours()
    assert not ours(file).is_whole()


@pytest.mark.parametrize("lease", [f"L-{n}" for n in range(8)])
def test_only_the_older_half_is_chosen_from(lease: str) -> None:
    assert set(_page.candidates(100, lease)) <= set(range(50))
    assert _page.candidates(1, lease) == [0]
    assert _page.candidates(0, lease) == []


def test_leases_begin_at_different_blocks() -> None:
    assert len({_page.candidates(1000, f"L-{n}")[0] for n in range(20)}) > 15


def test_a_block_that_was_cut_off_is_not_there(file: Path) -> None:
    assert ours(file, block=4).is_there()
    assert not ours(file, block=5).is_there()
    assert not ours(file, block=5).is_whole()


def test_a_server_stands_still_meanwhile_and_goes_on_after(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as server:
        try:
            with _page.frozen(str(tmp_path)):
                assert state(server.pid).is_stopped
            assert not state(server.pid).is_stopped
        finally:
            server.kill()


def test_a_server_that_cannot_be_stopped_is_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_page, "_STOPPED_WITHIN", 0.05)
    monkeypatch.setattr(_page, "_runs", lambda _: True)
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as server:
        try:
            with pytest.raises(TransientFaultError, match="do not stop within"), \
                    _page.frozen(str(tmp_path)):
                pass
            assert not state(server.pid).is_stopped
        finally:
            server.kill()


def state(pid: int) -> processes.Process:
    found = processes.look(pid)
    assert found is not None
    return found
