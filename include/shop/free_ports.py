"""Choose ports that nobody listens on and that no outgoing connection will take."""

import secrets
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

_FIRST = 10240  # below it live the well-known services of a machine
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(names: Iterable[str]) -> Mapping[str, int]:
    """Give each name a free port of 127.0.0.1, all different.

    They lie below the range from which the kernel takes ports for outgoing connections, so that a
    process that is restarted finds its port free.
    """
    last = _below_ephemeral()
    with ExitStack() as held:
        return {name: _take(held, last) for name in names}


def _below_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32768
    except ValueError:
        return 32768


def _take(held: ExitStack, last: int) -> int:
    for _ in range(1000):
        probe = held.enter_context(socket.socket())
        port = _FIRST + secrets.randbelow(max(last - _FIRST, 1))
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        if _claim(port):
            return port
    raise OSError("found no free port on 127.0.0.1 in 1000 attempts")


def _claim(port: int) -> bool:
    """Keep it from all who choose meanwhile, until this process ends; no file is left of it."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0holdfast-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()  # nobody closes it but the end of the process
    return True
