"""How much an experiment, or a whole plan, puts at stake: 0 to 100 points, each explained. Pure.

Six parts, each a value from 0 to 1 times a weight; the weights add up to 100. They follow the two
questions of a risk assessment (NIST SP 800-30 r1, appendix H): how much can be harmed, and how hard
is it to undo. Whom it can hit weighs most (part of the service 30, environment 25), then whether it
can be undone and what it may harm (effect 15, class 15), then for how long (10) and when (5). What
is not known counts as the worst. Words for the sum are those of table H-3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.model.fault import Effect

LONG = timedelta(minutes=15)
"""A fault this long counts in full: a service is expected back from any failure by then."""
_WORK = (8, 18)
_EFFECTS: Mapping[Effect, tuple[float, str]] = {
    Effect.HELD: (0.2, "every fault is reverted from its recipe"),
    Effect.ONE_SHOT: (0.6, "the target has to repair itself after a fault"),
    Effect.IRREVERSIBLE: (1.0, "a fault cannot be undone"),
}
_DATA, _SECURITY = ("data", 1.0), ("security", 0.8)
_INFRASTRUCTURE, _APPLICATION = ("infrastructure", 0.6), ("application", 0.4)
_PERFORMANCE, _NOTHING = ("performance", 0.3), ("no fault at all", 0.0)
_CLASSES: Mapping[str, tuple[str, float]] = {
    "postgres": _DATA,
    "security": _SECURITY,
    "process": _APPLICATION, "process.kill": _INFRASTRUCTURE, "process.crash_loop": _INFRASTRUCTURE,
    "docker": _INFRASTRUCTURE, "kubernetes": _INFRASTRUCTURE, "network.partition": _INFRASTRUCTURE,
    "dependency": _APPLICATION,
    "network": _PERFORMANCE, "load": _PERFORMANCE,
    "noop": _NOTHING,
}
_ENVIRONMENTS: Mapping[str, tuple[str, float]] = {
    word: kind
    for words, kind in (
        ("production prod live", ("production", 1.0)),
        ("staging stage preprod uat acceptance canary", ("a copy of production", 0.5)),
        ("test testing qa dev development ci sandbox lab local demo", ("made to be broken", 0.1)),
    )
    for word in words.split()
}
_LEVELS = ((96, "very high"), (80, "high"), (21, "moderate"), (5, "low"), (0, "very low"))


@dataclass(frozen=True, slots=True)
class Exposure:
    """What faults put at stake: their types and effects, how long they may be on at worst.

    `shares` is the largest part of each service that they hit together, 0..1.
    """

    types: frozenset[str]
    effects: frozenset[Effect]
    shares: Mapping[str, float]
    time: timedelta


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when: `at` is local to the people concerned.

    `is_agreed` says that the suite's owner named the hours in which it may run.
    """

    environment: str
    at: datetime
    is_agreed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """So many points of `weight`, and why."""

    name: str
    weight: int
    points: int
    text: str

    def as_json(self) -> dict[str, object]:
        """Whole numbers and text only, as signed data holds no floats."""
        return {"name": self.name, "weight": self.weight, "points": self.points, "text": self.text}


@dataclass(frozen=True, slots=True)
class Impact:
    """The sum of its parts, 0 to 100."""

    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """All points."""
        return sum(part.points for part in self.parts)

    @property
    def level(self) -> str:
        """The score in a word."""
        return next(word for least, word in _LEVELS if self.score >= least)

    def as_json(self) -> dict[str, object]:
        """As it is kept in the books and signed."""
        parts = [part.as_json() for part in self.parts]
        return {"score": self.score, "level": self.level, "parts": parts}


def impact(exposure: Exposure, setting: Setting) -> Impact:
    """Add up the parts; more of anything never gives fewer points."""
    return Impact((
        _blast(exposure.shares),
        _environment(setting.environment),
        _effect(exposure.effects),
        _class(exposure.types),
        _duration(exposure.time),
        _when(setting),
    ))


def fault_class(fault_type: str) -> str:
    """The class of a fault by its type: data, security, infrastructure, application, performance.

    A family that is not known counts as data.
    """
    return _class_of(fault_type)[0]


def _blast(shares: Mapping[str, float]) -> Part:
    service = max(shares, key=lambda name: shares[name], default="")
    share = shares.get(service, 0.0)
    text = f"hits {share:.0%} of {service}" if share else "hits nothing now"
    others = sum(value > 0 for value in shares.values()) - 1
    return _part("blast radius", 30, share, text + (f", and {others} more" if others > 0 else ""))


def _environment(name: str) -> Part:
    known = [_ENVIRONMENTS[word] for word in name.split("-") if word in _ENVIRONMENTS]
    kind, value = max(known, key=lambda one: one[1], default=("", 1.0))
    text = kind or "not known by its name, so it counts as production"
    return _part("environment", 25, value, f"{name}: {text}")


def _effect(effects: Iterable[Effect]) -> Part:
    value, text = max((_EFFECTS[e] for e in effects), default=(0.0, "there is no fault"))
    return _part("effect", 15, value, text)


def _class(types: Iterable[str]) -> Part:
    worst = max(sorted(types), key=lambda one: _class_of(one)[1], default="noop")
    name, value = _class_of(worst)
    return _part("fault class", 15, value, f"{worst}: {name}")


def _class_of(fault_type: str) -> tuple[str, float]:
    family = fault_type.partition(".")[0]
    return _CLASSES.get(fault_type) or _CLASSES.get(family) or _DATA


def _duration(time: timedelta) -> Part:
    seconds = time.total_seconds()
    return _part("duration", 10, time / LONG, f"faults may be on for {seconds:g} s at worst, "
                 f"{LONG.total_seconds():g} s count in full")


def _when(setting: Setting) -> Part:
    """Working hours weigh most; at night and at weekends fewer use it, and fewer can help."""
    if setting.is_agreed:
        return _part("time", 5, 0.0, "only in hours that the suite's owner has named")
    at = setting.at
    is_work = at.weekday() < 5 and _WORK[0] <= at.hour < _WORK[1]
    value, kind = (1.0, "working hours") if is_work else (0.4, "outside working hours")
    return _part("time", 5, value, f"{at:%A %H:%M} {at.tzname()}: {kind}")


def _part(name: str, weight: int, value: float, text: str) -> Part:
    return Part(name, weight, round(weight * min(1.0, max(0.0, value))), text)
