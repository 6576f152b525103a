"""Open a bundle without trusting it: a ZIP with safe names, within limits."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from struct import error as BadHeader  # noqa: N812
from typing import IO
from zlib import error as BadDeflate  # noqa: N812

from holdfast.audit import places
from holdfast.evidence.trouble import Trouble

MOST_FILES, LARGEST_FILE, LARGEST_RATIO, LARGEST_READ = 200_000, 512 * 2**20, 100, 64 * 2**20
_KEPT = 128 * 2**20  # so many bytes of files are unpacked once only
_SMALL = 2**20  # below it, a ratio says nothing
_LARGEST = {places.ENTRIES: 2**16, places.PROOFS: 2**17, places.CHECKPOINT: 2**17,
            places.tile("tile/"): 2**13}
"""The most that a file of these places may have; of others, LARGEST_FILE."""
_LISTED = 2**10  # so many bytes of the manifest a file's name and digest take at most
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, BadDeflate, BadHeader, EOFError, OSError, NotImplementedError,
           RuntimeError, ValueError)


class NotABundle(Exception):
    """It cannot be read at all, for this trouble."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(str(trouble))


class Bundle:
    """The files of a bundle by name; `names` are all that are in it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._files = {info.filename: info for info in archive.infolist()}
        self.names = frozenset(self._files)
        self._small: dict[str, bytes] = {}
        self._room = _KEPT

    def read(self, name: str) -> bytes | None:
        """A file's content; None if it is not there, is damaged, or is too large to be read."""
        if name not in self._small:
            content = self._read(name)
            if content is None or len(content) > self._room:
                return content
            self._small[name], self._room = content, self._room - len(content)
        return self._small[name]

    def _read(self, name: str) -> bytes | None:
        info = self._files.get(name)
        if info is None or info.file_size > LARGEST_READ:
            return None
        try:
            return self._archive.read(info)
        except _BROKEN:
            return None

    def digest(self, name: str) -> str | None:
        """The SHA-256 of a file in hex; None if it is not there or is damaged."""
        if name in self._small:
            return hashlib.sha256(self._small[name]).hexdigest()
        found = hashlib.sha256()
        try:
            with self._archive.open(self._files[name]) as file:
                while part := file.read(2**20):
                    found.update(part)
        except (KeyError, *_BROKEN):
            return None
        return found.hexdigest()


@contextmanager
def opened(path: Path | IO[bytes]) -> Iterator[Bundle]:
    """Open a bundle; NotABundle if it is none, or is made to do harm."""
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise NotABundle(Trouble(
            "E_NOT_A_BUNDLE", str(path), "a ZIP file", str(error), "it cannot be opened",
        )) from error
    with archive:
        _check(archive)
        yield Bundle(archive)


def _check(archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        _refuse("E_LIMIT", archive.filename or "", f"{MOST_FILES} files at most", str(len(infos)),
                "nobody needs so many")
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        if not _is_safe(info) or name in seen:
            _refuse("E_UNSAFE_PATH", repr(name), "a plain name below the bundle, once",
                    "another", "unpacking it could overwrite something")
        seen.add(name)
        most = _most(name, len(infos))
        if info.file_size > most or info.flag_bits & 1 or _is_bomb(
                info.file_size, info.compress_size, _SMALL) or info.compress_type not in _PACKED:
            _refuse("E_LIMIT", repr(name), f"{most} bytes at most, packed {LARGEST_RATIO} "
                    "to 1 at most, by deflate, not locked", f"{info.file_size} bytes from "
                    f"{info.compress_size}", "it is made to exhaust whoever reads it")
    whole, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if _is_bomb(whole, packed, _KEPT):
        _refuse("E_LIMIT", archive.filename or "", f"packed {LARGEST_RATIO} to 1 at most",
                f"{whole} bytes from {packed}", "it is made to exhaust whoever reads it")


def _most(name: str, files: int) -> int:
    if name == places.MANIFEST:
        return _SMALL + _LISTED * files
    return next((most for start, most in _LARGEST.items() if name.startswith(start)), LARGEST_FILE)


def _is_bomb(size: int, packed: int, harmless: int) -> bool:
    return size > harmless and size > LARGEST_RATIO * packed


def _is_safe(info: zipfile.ZipInfo) -> bool:
    name = info.orig_filename
    path = PurePosixPath(name)
    is_link = info.external_attr >> 16 & 0o170000 == 0o120000
    return (
        name == info.filename == str(path) and not path.is_absolute() and ".." not in path.parts
        and name.isascii() and name.isprintable() and "\\" not in name and ":" not in name
        and not is_link
    )


def _refuse(code: str, where: str, expected: str, found: str, meaning: str) -> None:
    raise NotABundle(Trouble(code, where, expected, found, meaning))
