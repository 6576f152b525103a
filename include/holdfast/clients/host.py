"""Who this host is, and which of its processes is which."""

import socket
from pathlib import Path


def host_name() -> str:
    """The host's name, as leases carry it."""
    return socket.gethostname()


def boot_id() -> str:
    """A name of this boot: processes and CLOCK_BOOTTIME of another boot mean nothing here."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def is_here(host: str, boot: str) -> bool:
    """Whether a process of that host and boot would be one of this host's.

    A host may be renamed while it runs, and restarted under its name.
    """
    return boot == boot_id() or host == host_name()


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
