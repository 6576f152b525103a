"""Raise the load on a service: its own load generator sends several times as much."""  # noqa: N999 - a fault's name

import time
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

from holdfast.clients.connections import connection
from holdfast.clients.load import Load
from holdfast.faults._patience import patiently
from holdfast.faults._selector import address, number
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_MARGIN_SECONDS = 30
_LOOK_SECONDS = 0.5


class RaiseDriver:
    """A raise named after the lease, with a limit that the load itself keeps."""

    effect = Effect.HELD
    address = "load"
    params: Mapping[str, Setting] = {
        "factor": Setting("integer", 3, "how many times as much is sent", low=2, high=20),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The load: every request to the service is one of more."""
        load = _load(fault.home, address(fault, "load"))
        _, rate = load.raises()
        return [Target(f"{load.target} ({rate:g} requests/s)", fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the load, its mark, and the rate without any raise."""
        link = address(fault, "load")
        factors, rate = _load(fault.home, link).raises()
        limit = fault.duration.total_seconds() + fault.delay.total_seconds() + _MARGIN_SECONDS
        return Recipe(lease_id, fault.type, {
            "home": fault.home, "connection": link, "mark": f"holdfast-{lease_id}",
            "factor": number(fault, "factor", 3), "seconds": limit,
            "base": rate / prod(factors.values()),
        })

    def inject(self, recipe: Recipe) -> None:
        """Raise the load."""
        undo = recipe.undo
        _of(recipe).put(_mark(recipe), float(str(undo["factor"])), float(str(undo["seconds"])))

    def revert(self, recipe: Recipe) -> None:
        """Take the raise back, trying again for a while when the load is just restarting."""
        load = _of(recipe)
        patiently(lambda: load.delete(_mark(recipe)))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """The list of raises, and what the load's own counter says is really sent."""
        load, undo = _of(recipe), recipe.undo
        factors, _ = load.raises()
        if _mark(recipe) in factors:
            return [f"raise {_mark(recipe)} is on at {load.target}"]
        if factors:
            return []  # another fault's raise would be taken for this one's
        seen, base = _rate(load), float(str(undo["base"]))
        if seen is not None and seen > base * (1 + float(str(undo["factor"]))) / 2:
            return [f"{load.target} sends {seen:.0f} requests/s, {base:g} without a raise"]
        return []


def _rate(load: Load) -> float | None:
    """Requests a second, counted for a moment; None if the load does not count, or restarted."""
    begun, first = time.monotonic(), load.sent()
    time.sleep(_LOOK_SECONDS)
    second, ended = load.sent(), time.monotonic()
    if first is None or second is None or second < first:
        return None
    return (second - first) / (ended - begun)


def _load(home: str, link: str) -> Load:
    return Load(connection(Path(home) / "connections.json", link))


def _of(recipe: Recipe) -> Load:
    return _load(str(recipe.undo["home"]), str(recipe.undo["connection"]))


def _mark(recipe: Recipe) -> str:
    return str(recipe.undo["mark"])


DRIVER: FaultDriver = RaiseDriver()
