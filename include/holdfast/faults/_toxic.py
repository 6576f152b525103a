"""Faults made of toxics of a TCP proxy: one driver, told by each fault which toxics it adds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from holdfast.clients.connections import connection
from holdfast.clients.toxics import Toxic, Toxics, Trial, trial
from holdfast.errors import FaultError
from holdfast.faults._patience import patiently
from holdfast.faults._selector import address
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target

_LONGEST_LOOK = 1.0
_ACTIVE = "shop_proxy_toxic_active"


@dataclass(frozen=True, slots=True)
class Dose:
    """One toxic of a fault: its kind, the direction it hits, and what share of connections."""

    kind: str
    attributes: Mapping[str, float]
    stream: str = "downstream"
    share: float = 1.0


def both_ways(kind: str, attributes: Mapping[str, float]) -> Sequence[Dose]:
    """The same on requests and on answers."""
    return [Dose(kind, attributes, stream) for stream in ("downstream", "upstream")]


class ToxicDriver:
    """Add toxics named after the lease to the proxy on a path."""

    effect = Effect.HELD
    address = "proxy"

    def __init__(
        self, params: Mapping[str, Setting], doses: Callable[[Fault], Sequence[Dose]]
    ) -> None:
        self.params = params
        self._doses = doses

    def targets(self, fault: Fault) -> Sequence[Target]:
        """The proxy: everything of the service passes through it."""
        doses = self._doses(fault)
        toxics = _reached(fault.home, address(fault, "proxy"), doses)
        return [Target(toxics.target, fault.service, max(dose.share for dose in doses))]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Remember the proxy and the toxics."""
        link, doses = address(fault, "proxy"), self._doses(fault)
        _reached(fault.home, link, doses)
        toxics = [
            {"name": f"holdfast-{lease_id}" + (f"-{n}" if n else ""), "kind": dose.kind,
             "stream": dose.stream, "share": dose.share, "attributes": dict(dose.attributes)}
            for n, dose in enumerate(doses)
        ]
        return Recipe(lease_id, fault.type, {
            "home": fault.home, "connection": link, "toxics": toxics,
            "slow_ms": min(dose.attributes.get("latency", 2000) for dose in doses) / 2,
        })

    def inject(self, recipe: Recipe) -> None:
        """Add the toxics."""
        toxics = _of(recipe)
        for toxic in _own(recipe):
            toxics.add(toxic)

    def revert(self, recipe: Recipe) -> None:
        """Take the toxics away, trying again for a while when the proxy is just restarting."""
        toxics = _of(recipe)
        for toxic in _own(recipe):
            patiently(partial(toxics.remove, toxic.name))

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """What the proxy's own metrics and a client of the path say."""
        toxics, names = _of(recipe), [toxic.name for toxic in _own(recipe)]
        active = {name: toxics.metric(_ACTIVE, name) for name in names}
        if any(active.values()):
            return [f"toxic {name} is active in the metrics of {toxics.target}"
                    for name, value in active.items() if value]
        odd = _odd(toxics, float(str(recipe.undo["slow_ms"])) / 1000)
        if odd is None and None in active.values():
            listed = toxics.proxy().toxics  # with nothing to measure, the list of toxics decides
            return [f"toxic {n} is listed at {toxics.target}" for n in names if n in listed]
        return [f"{toxics.target}: {odd}"] if odd else []


def _reached(home: str, link: str, doses: Sequence[Dose]) -> Toxics:
    """The proxy, if it is there and has what the fault is made of."""
    toxics = _toxics(home, link)
    toxics.proxy()
    for kind in dict.fromkeys(dose.kind for dose in doses):
        if not toxics.knows(kind):
            text = f"this proxy has no toxic of type '{kind}', the demo shop's has"
            raise FaultError(text, target=toxics.target)
    return toxics


def _toxics(home: str, link: str) -> Toxics:
    return Toxics(connection(Path(home) / "connections.json", link))


def _of(recipe: Recipe) -> Toxics:
    return _toxics(str(recipe.undo["home"]), str(recipe.undo["connection"]))


def _own(recipe: Recipe) -> Sequence[Toxic]:
    entries: Any = recipe.undo["toxics"]
    return [Toxic(**entry) for entry in entries]


def _odd(toxics: Toxics, bound: float) -> str | None:
    """What a client gets otherwise than without the proxy; empty if nothing, None if unknown."""
    proxy = toxics.proxy()
    if proxy.toxics:
        return None  # another fault's harm would be taken for this one's
    limit = min(bound, _LONGEST_LOOK)
    trials = [seen for _ in range(3) if (seen := trial(proxy.listen, limit))]
    direct = trial(proxy.upstream, limit)
    if not trials or direct is None or direct.outcome != "answered" or direct.seconds >= limit:
        return None  # what lies behind the path is slow or away by itself
    if any(_alike(seen, direct, limit) for seen in trials):
        return ""
    through = trials[-1]
    return f"a client is {through.outcome} after {through.seconds:.3f} s or more, " \
           f"answered after {direct.seconds:.3f} s without the proxy"


def _alike(through: Trial, direct: Trial, limit: float) -> bool:
    return (
        through.outcome == direct.outcome and through.seconds < limit
        and through.answer[:12] == direct.answer[:12]  # as long as an HTTP status
    )
