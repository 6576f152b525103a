"""Keep a history's columns in a file (npz), which opens at once."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.errors import SpecError
from holdfast.history.columns import ATOMS, TYPES, Atoms, History, Kind, Shape, Transactions
from holdfast.history.pairs import Rows, paired

VERSION = 1
_ABOUT = 2
"""Version, and whether the rows are ordered."""
_PLAIN = ("index", "process", "type", "f", "time_ns", "key", "shape", "atom", "item_offsets",
          "items")
_MICRO = ("offsets", "kind", "key", "shape", "atom", "read_offsets", "reads")
_BYTES = {"type", "f", "shape", "micro_kind", "micro_shape"}
_HINT = "write it anew from the history it was made of"


def save(history: History, path: Path) -> None:
    """Write the columns; what is there already is overwritten."""
    columns: dict[str, Any] = {name: getattr(history, name) for name in _PLAIN}
    columns |= {f"micro_{name}": getattr(history.transactions, name) for name in _MICRO}
    columns["fs"] = _text("\n".join(history.fs))
    columns["atoms"] = _text("\0".join(history.atoms.table))
    columns["about"] = np.array([VERSION, history.is_ordered], np.int64)
    try:
        with path.open("wb") as file:
            np.savez(file, **columns)
    except OSError as error:
        raise SpecError(f"it cannot be written: {error.strerror}", where=str(path),
                        hint="name a file in a folder that is there") from error


def load(name: str, content: bytes) -> History:
    """Read the columns back; what contradicts itself is a SpecError. Pairs are worked out anew."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if any(one.compress_type != zipfile.ZIP_STORED for one in packed.infolist()):
                raise ValueError("it is compressed")
        with np.load(io.BytesIO(content), allow_pickle=False) as columns:
            return _history(name, {key: columns[key] for key in columns.files})
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError,
            NotImplementedError, OverflowError, MemoryError) as error:
        raise SpecError(f"damaged: {error}", where=name, hint=_HINT) from error


def _history(name: str, columns: dict[str, Any]) -> History:
    for key, column in columns.items():
        if not isinstance(column, np.ndarray) or column.ndim != 1 or column.dtype != _dtype(key):
            raise ValueError(f"{key} is no column of its kind")
        column.flags.writeable = False
    if len(columns["about"]) != _ABOUT:
        raise ValueError("about is no column of its kind")
    if columns["about"][0] != VERSION:
        raise ValueError(f"version {columns['about'][0]} is not known")
    plain = {key: columns[key] for key in _PLAIN}
    micro = Transactions(**{key: columns[f"micro_{key}"] for key in _MICRO})
    fs, atoms = tuple(_read(columns["fs"]).split("\n")), _read(columns["atoms"]).split("\0")
    _fit(plain, micro, len(fs), len(atoms))
    is_ordered = bool(columns["about"][1])
    rows = Rows(np.arange(1, len(plain["index"]) + 1), plain["index"], plain["process"],
                plain["type"], plain["f"], plain["time_ns"])

    def wrong(line: int, message: str) -> SpecError:
        return SpecError(message, where=f"{name}: row {line}", hint=_HINT)

    pair = paired(rows, wrong, is_ordered=is_ordered)
    return History(**plain, pair=pair, transactions=micro, fs=fs, atoms=Atoms(tuple(atoms)),
                   is_ordered=is_ordered)


def _fit(plain: dict[str, Any], micro: Transactions, fs: int, atoms: int) -> None:
    """Each number points to something that is there."""
    rows = len(plain["index"])
    if any(len(plain[name]) != rows for name in _PLAIN[:8]):
        raise ValueError("columns of different lengths")
    if len({len(getattr(micro, name)) for name in _MICRO[1:5]}) != 1:
        raise ValueError("micro-operations of different lengths")
    _offsets(plain["item_offsets"], rows, len(plain["items"]))
    _offsets(micro.offsets, rows, len(micro.kind))
    _offsets(micro.read_offsets, len(micro.kind), len(micro.reads))
    for column, below in ((plain["type"], len(TYPES)), (plain["f"], fs), (micro.kind, len(Kind)),
                          (plain["shape"], len(Shape)), (micro.shape, len(Shape))):
        if len(column) and int(column.max()) >= below:
            raise ValueError("a code that stands for nothing")
    for column in (plain["key"], plain["atom"], plain["items"], micro.key, micro.atom, micro.reads):
        if len(column) and int(column.max()) >= ATOMS + atoms:
            raise ValueError("a value that is not there")


def _offsets(offsets: Any, count: int, end: int) -> None:
    if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != end \
            or (np.diff(offsets) < 0).any():
        raise ValueError("lists that overlap")


def _dtype(name: str) -> Any:
    if name in _BYTES or name in ("fs", "atoms"):
        return np.uint8
    return np.int32 if name == "process" else np.int64


def _text(text: str) -> Any:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def _read(column: Any) -> str:
    return bytes(column).decode("utf-8", "surrogatepass")
