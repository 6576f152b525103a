"""Pack the verifier into one file."""

import io
import zipfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = b"import sys\nfrom holdfast.audit.__main__ import main\nsys.exit(main())\n"
_ROOMS = ("audit", "evidence", "controls")
_PARTS = ("__init__.py", "errors.py", "model/record.py", "model/control.py", "model/verdict.py",
          "model/run.py", "model/approval.py")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pyz(path: Path) -> None:
    """Write what `holdfast.audit` needs, and nothing else: the same version, the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_contents().items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    path.write_bytes(_SHEBANG + packed.getvalue())
    path.chmod(0o755)


def _contents() -> dict[str, bytes]:
    root = files("holdfast")
    found = {"__main__.py": _MAIN, "holdfast/model/__init__.py": b""}
    for part in _PARTS:
        found[f"holdfast/{part}"] = (root / part).read_bytes()
    for room in _ROOMS:
        found |= _below(root / room, f"holdfast/{room}")
    return found


def _below(folder: Traversable, place: str) -> dict[str, bytes]:
    found = dict[str, bytes]()
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            found |= _below(item, f"{place}/{item.name}")
        elif item.name.endswith((".py", ".css", ".tsv")):
            found[f"{place}/{item.name}"] = item.read_bytes()
    return found
