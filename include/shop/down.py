"""Stop a shop, whatever is left of it: by pid and start time, also without its supervisor."""

import shutil
import signal
from pathlib import Path

from shop import processes
from shop.addresses import ours
from shop.errors import ShopError
from shop.files import write_connections
from shop.places import Places
from shop.settled import NODES

_SUPERVISOR_SECONDS = 12.0


def down(home: Path) -> int:
    """Stop everything and say how many processes that were; ShopError when one will not end."""
    places = Places(home.resolve())
    before = living(places)
    supervisor = processes.recorded(places.run, "supervisor")
    if supervisor is not None and supervisor.is_alive():
        processes.send([supervisor], signal.SIGTERM)
        processes.send([supervisor], signal.SIGCONT)
        processes.wait_gone([supervisor], _SUPERVISOR_SECONDS)
    left = processes.end(_remaining(places))
    left += processes.end(_remaining(places))  # what was started while the first were ending
    if left:
        pids = [p.pid for p in left]
        raise ShopError(f"could not end the processes {pids}; they may hang in the kernel")
    _tidy(places)
    return len(before)


def living(places: Places) -> list[processes.Identity]:
    """The recorded processes that are still there."""
    found = (processes.recorded(places.run, name) for name in processes.recorded_names(places.run))
    return [identity for identity in found if identity is not None and identity.is_alive()]


def _remaining(places: Places) -> list[processes.Identity]:
    # The supervisor first: a live one would start again what is ended here.
    roots = sorted(living(places), key=lambda p: p != processes.recorded(places.run, "supervisor"))
    trees = [member for root in roots for member in processes.tree(root.pid)]
    servers = [member for node in NODES for member in processes.inside(places.data(node))]
    return list(dict.fromkeys([*trees, *servers]))


def _tidy(places: Places) -> None:
    for folder in (places.run, places.shop / "data", places.tls):
        if folder.exists():
            shutil.rmtree(folder)
    if gone := ours(places.connections):
        write_connections(places.connections, dict.fromkeys(gone))
    places.state.unlink(missing_ok=True)
