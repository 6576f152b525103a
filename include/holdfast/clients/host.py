"""Who this host is, and which of its processes is which."""

import os
import secrets
import socket
import tempfile
from contextlib import suppress
from pathlib import Path


def host_name() -> str:
    """The host's name, as leases carry it."""
    return socket.gethostname()


def boot_id() -> str:
    """A name of this boot: processes and CLOCK_BOOTTIME of another boot mean nothing here."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def keeper_host(home: Path) -> str:
    """Where a keeper of this home runs, as leases carry it: the host's name and the home's mark.

    Machines that share a store may share a name, or a kernel: what each has alone is its home.
    """
    return f"{host_name()}/{_mark(home) or _new_mark(home)}"


def is_here(home: Path, host: str, boot: str) -> bool:
    """Whether a keeper of that host and boot would be one of this home's, on this host.

    A host may be renamed while it runs, and restarted under its name. A home may be copied to
    another host.
    """
    name, _, mark = host.partition("/")
    return mark in ("", _mark(home)) and (boot == boot_id() or name == host_name())


def start_time(pid: int) -> int | None:
    """When the process started, in ticks since boot; with the pid and boot id it names one process.

    None if there is no such process, or if it has ended and only waits to be reaped.
    """
    try:
        # The name in parentheses may hold blanks and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _mark(home: Path) -> str:
    try:
        return (home / "id").read_text()
    except FileNotFoundError:
        return ""


def _new_mark(home: Path) -> str:
    """Of many that come at once, the first one's stays."""
    handle, name = tempfile.mkstemp(dir=home, prefix=".id.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(4))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, home / "id")
    finally:
        Path(name).unlink()
    return _mark(home)
