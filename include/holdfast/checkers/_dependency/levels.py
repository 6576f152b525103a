"""Say which levels of isolation an anomaly rules out, and by which anomaly a level is broken.

The levels, their order and what each forbids are those of Adya, Bailis, Cerone, Biswas and Enea as
Elle names them. Only item anomalies are known here: none of the workloads reads by predicate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from holdfast.errors import SpecError

STRICT = "strict-serializable"

_WEAKER: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": (),
    "read-committed": ("read-uncommitted",),
    "cursor-stability": ("read-committed",),
    "monotonic-view": ("read-committed",),
    "monotonic-snapshot-read": ("read-committed",),
    "monotonic-atomic-view": ("read-committed",),
    "consistent-view": ("cursor-stability", "monotonic-view"),
    "forward-consistent-view": ("consistent-view",),
    "read-atomic": ("monotonic-atomic-view",),
    "update-atomic": ("read-atomic",),
    "causal": ("read-atomic",),
    "prefix": ("causal",),
    "parallel-snapshot-isolation": ("causal", "update-atomic"),
    "repeatable-read": ("cursor-stability", "monotonic-atomic-view"),
    "update-serializable": ("forward-consistent-view",),
    "snapshot-isolation": (
        "forward-consistent-view", "monotonic-atomic-view", "monotonic-snapshot-read",
        "parallel-snapshot-isolation", "prefix",
    ),
    "serializable": ("repeatable-read", "update-serializable", "snapshot-isolation"),
    "strong-session-read-uncommitted": ("read-uncommitted",),
    "strong-session-read-committed": ("read-committed", "strong-session-read-uncommitted"),
    "strong-session-snapshot-isolation": ("snapshot-isolation", "strong-session-read-committed"),
    "strong-session-serializable": ("serializable", "strong-session-snapshot-isolation"),
    "strong-read-uncommitted": ("strong-session-read-uncommitted",),
    "strong-read-committed": ("strong-session-read-committed", "strong-read-uncommitted"),
    "strong-snapshot-isolation": ("strong-session-snapshot-isolation", "strong-read-committed"),
    STRICT: ("strong-session-serializable", "strong-snapshot-isolation"),
}

ALIASES: Mapping[str, str] = {
    "conflict-serializable": "serializable", "strong-serializable": STRICT,
    "strict-snapshot-isolation": "strong-snapshot-isolation", "causal-cerone": "causal",
}

_VARIANTS = ("", "-process", "-realtime")
_CYCLES = ("G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item")

_WORSE: Mapping[str, tuple[str, ...]] = {
    "G0": ("G1c",), "G1c": ("G1",), "G1": (),
    "G-single-item": ("G-nonadjacent-item",), "G-nonadjacent-item": ("G2-item",), "G2-item": (),
}
"""A cycle of the first kind is also one of the second: in each variant."""

_ALSO: Mapping[str, tuple[str, ...]] = {
    "G1a": ("G1",), "G1b": ("G1",),
    "incompatible-order": ("G1a",), "dirty-update": ("G1a",), "future-read": ("G1c",),
    "lost-update": ("G2-item",),
}

_FORBIDS: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": (
        "G0", "duplicate-elements", "cyclic-versions", "garbage-read", "PL-1-cycle-exists"),
    "read-committed": ("G1", "PL-2-cycle-exists", "read-committed-cycle", "lost-own-write"),
    "cursor-stability": ("lost-update",),
    "consistent-view": ("G-single-item",),
    "read-atomic": ("internal", "future-read", "read-atomic-cycle"),
    "update-atomic": ("lost-update",),
    "causal": ("causal-cycle",),
    "repeatable-read": ("G2-item", "lost-update", "PL-2.99-cycle-exists"),
    "snapshot-isolation": ("G-nonadjacent-item", "PL-SI-cycle-exists"),
    "strong-session-read-uncommitted": ("G0-process", "strong-session-PL-1-cycle-exists"),
    "strong-session-read-committed": ("G1c-process", "strong-session-PL-2-cycle-exists"),
    "strong-session-snapshot-isolation": (
        "G1-process", "G-nonadjacent-item-process",
        "strong-session-snapshot-isolation-cycle-exists",
    ),
    "strong-session-serializable": (
        "G2-item-process", "strong-session-serializable-cycle-exists"),
    "strong-read-uncommitted": ("G0-realtime", "strong-PL-1-cycle-exists"),
    "strong-read-committed": ("G1c-realtime", "strong-PL-2-cycle-exists"),
    "strong-snapshot-isolation": (
        "G1-realtime", "G-nonadjacent-item-realtime", "strong-snapshot-isolation-cycle-exists"),
    STRICT: ("G2-item-realtime", "PL-SS-cycle-exists"),
}

OF_SESSIONS: Mapping[str, str] = {
    "read-uncommitted": "strong-session-read-uncommitted",
    "snapshot-isolation": "strong-session-snapshot-isolation",
    "serializable": "strong-session-serializable",
}
"""The same levels, with the order of each session as part of them."""

EMPTY = "empty-transaction-graph"
"""Told where no transaction depends on another: it rules nothing out, and nothing in."""


@dataclass(frozen=True, slots=True)
class RuledOut:
    """The weakest levels that cannot hold, and the stronger ones that fall with them."""

    weakest: tuple[str, ...]
    also: tuple[str, ...]

    def __contains__(self, model: str) -> bool:
        return model in self.weakest or model in self.also


def known(model: str) -> str:
    """Give a level its own name, or say which there are."""
    name = ALIASES.get(model, model)
    if name not in _WEAKER:
        raise SpecError(f"unknown model '{model}'", hint=f"known: {', '.join(sorted(_WEAKER))}")
    return name


def implied(anomalies: Iterable[str]) -> set[str]:
    """Add to anomalies what each of them is an instance of."""
    found, waiting = set[str](), list(anomalies)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _is_also(name)
    return found


def _is_also(name: str) -> list[str]:
    base, variant = name, ""
    for ending in _VARIANTS[1:]:
        if name.endswith(ending):
            base, variant = name.removesuffix(ending), ending
    if base not in _WORSE:
        return list(_ALSO.get(name, ()))
    wider = _VARIANTS[_VARIANTS.index(variant) + 1:][:1]
    return [worse + variant for worse in _WORSE[base]] + [base + ending for ending in wider]


def ruled_out(anomalies: Iterable[str]) -> RuledOut:
    """Say which levels these anomalies rule out."""
    seen = implied(anomalies)
    broken = {model for model, names in _FORBIDS.items() if seen.intersection(names)}
    gone = {model for model in _WEAKER if broken & weaker(model)}
    weakest = {model for model in gone if not (weaker(model) - {model}) & gone}
    return RuledOut(tuple(sorted(weakest)), tuple(sorted(gone - weakest)))


@cache
def weaker(model: str) -> frozenset[str]:
    """Name a level and all that hold wherever it holds."""
    found, waiting = set[str](), [model]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _WEAKER[name]
    return frozenset(found)


def order_of(model: str) -> str:
    """Say which order between transactions a level promises: realtime, process or none ('')."""
    forbidden = {name for level in weaker(model) for name in _FORBIDS.get(level, ())}
    for ending in ("realtime", "process"):
        if any(name.endswith(ending) for name in forbidden):
            return ending
    return ""
