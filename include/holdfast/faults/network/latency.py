"""Delay answers on a TCP path, by a toxic of its proxy."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.clients.connections import connection
from holdfast.clients.toxics import Toxics, round_trip
from holdfast.errors import TransientFaultError
from holdfast.faults._selector import address, number
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver

_PATIENCE = 5.0
_PAUSE = 0.2
_LONGEST_LOOK = 1.0


class LatencyDriver:
    """Add a latency toxic named after the lease."""

    effect = Effect.HELD
    address = "proxy"
    params: Mapping[str, Setting] = {
        "latency": Setting("duration", 0.2, "added to each answer", low=0.01, high=60.0),
        "jitter": Setting("duration", 0.0, "the delay varies by this much", low=0.0, high=60.0),
    }

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The proxy: everything of the service passes through it."""
        toxics = _toxics(fault.home, address(fault, "proxy"))
        toxics.proxy()
        return [Target(toxics.target, fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the proxy and the toxic's name."""
        link = address(fault, "proxy")
        _toxics(fault.home, link).proxy()
        return Recipe(lease_id, fault.type, {
            "home": fault.home,
            "connection": link,
            "toxic": f"holdfast-{lease_id}",
            "latency_ms": round(number(fault, "latency", 0.2) * 1000),
            "jitter_ms": round(number(fault, "jitter", 0.0) * 1000),
        })

    def inject(self, recipe: Recipe) -> None:
        """Add the toxic."""
        undo: Mapping[str, Any] = recipe.undo
        delay = {"latency": int(undo["latency_ms"]), "jitter": int(undo["jitter_ms"])}
        _toxics(undo["home"], undo["connection"]).add(undo["toxic"], delay)

    def revert(self, recipe: Recipe) -> None:
        """Take the toxic away, trying again for a while when the proxy is just restarting."""
        undo: Mapping[str, Any] = recipe.undo
        toxics = _toxics(undo["home"], undo["connection"])
        _patiently(lambda: toxics.remove(undo["toxic"]))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What the proxy's own metrics and a measured round trip through the path say."""
        undo: Mapping[str, Any] = recipe.undo
        toxics = _toxics(undo["home"], undo["connection"])
        active = toxics.metric("shop_proxy_toxic_active", undo["toxic"])
        if active:
            return [f"toxic {undo['toxic']} is active in the metrics of {toxics.target}"]
        slow = _slow(toxics, int(undo["latency_ms"]) / 2000)
        if slow is None and active is None:
            return _unmeasured(toxics, undo["toxic"])
        return [f"{toxics.target}: {slow}"] if slow else []


def _toxics(home: str, connection_id: str) -> Toxics:
    return Toxics(connection(Path(home) / "connections.json", connection_id))


def _patiently(act: Callable[[], None]) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return act()
        except TransientFaultError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


def _slow(toxics: Toxics, bound: float) -> str | None:
    """A sentence if the path is slower than the bound, empty if not; None if nobody can tell."""
    proxy = toxics.proxy()
    if proxy.toxics:
        return None  # another fault's delay would be taken for this one's
    limit = min(bound, _LONGEST_LOOK)
    trips = [round_trip(proxy.listen, limit) for _ in range(3)]
    seen = [trip for trip in trips if trip is not None]
    if not seen:
        return None
    if min(seen) < limit:
        return ""
    direct = round_trip(proxy.upstream, limit)
    if direct is None or direct >= limit:
        return None  # what lies behind the path is slow by itself
    return f"a round trip takes {limit:.3f} s or longer, {direct:.3f} s without the proxy"


def _unmeasured(toxics: Toxics, toxic: str) -> Sequence[str]:
    """With nothing to measure, the list of toxics decides."""
    left = toxic in toxics.proxy().toxics
    return [f"toxic {toxic} is listed at {toxics.target}"] if left else []


DRIVER: FaultDriver = LatencyDriver()
