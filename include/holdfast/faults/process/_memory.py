"""How much memory of this host, or of this container, others could still have."""

from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


def available(meminfo: Path = Path("/proc/meminfo"), groups: Path = _GROUPS) -> int:
    """Bytes that can be had without swapping, by the kernel's estimate and the group's limit."""
    fields = dict(line.split(":") for line in meminfo.read_text().splitlines())
    left = int(fields["MemAvailable"].split()[0]) * 1024
    for limit, usage in (("memory.max", "memory.current"),
                         ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        most, used = _figure(groups / limit), _figure(groups / usage)
        if most is not None and used is not None:
            left = min(left, most - used)
    return left


def _figure(file: Path) -> int | None:
    """None where there is no such limit; `max` says so too."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
