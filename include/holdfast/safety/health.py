"""How well a target is before a run, as one number that says what it is made of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.model.quantities import Bound

_ROOM = 0.2
"""An objective that has this part of its bound's size to spare is as well as can be."""
_JUST_HOLDS = 0.5
"""What an objective is worth that holds always, but with nothing to spare."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score: 0 is ill, 1 is well, None was not measured and counts as 0."""

    name: str
    weight: float
    value: float | None
    text: str

    def as_json(self) -> dict[str, object]:
        """As it is kept in the books."""
        value = None if self.value is None else round(self.value, 4)
        return {"name": self.name, "weight": self.weight, "value": value, "text": self.text}


@dataclass(frozen=True, slots=True)
class Health:
    """The weighted mean of the parts; None when nothing was measured."""

    score: float | None
    limit: float
    parts: tuple[Part, ...]

    def why_not(self) -> str:
        """Say why the target is not well enough, worst part first; or nothing."""
        if self.score is None:
            return "the health of the target is not known: nothing was measured"
        if self.score >= self.limit:
            return ""
        pulling = sorted((p for p in self.parts if (p.value or 0.0) < 1.0), key=_lost, reverse=True)
        return (f"the health of the target is {self.score:.2f}, {self.limit:g} wanted: "
                + "; ".join(p.text for p in pulling))


def health(parts: Sequence[Part], limit: float) -> Health:
    """Join the parts. A part that was not measured is no reason to be sure: it counts as ill."""
    whole = sum(p.weight for p in parts)
    if not whole or all(p.value is None for p in parts):
        return Health(None, limit, tuple(parts))
    return Health(sum((p.value or 0.0) * p.weight for p in parts) / whole, limit, tuple(parts))


def of_objective(name: str, bound: Bound, values: Sequence[float]) -> Part:
    """How steadily an objective held, and with how much to spare at its worst.

    The share of samples that held, times 0.5 for one that holds with nothing to spare up to 1 for
    one that keeps a fifth of its bound's size free. A bound's size is the bound itself; of a lower
    bound on a percentage, such as `>= 99%`, it is the rest up to 100 %.
    """
    if not values:
        return Part(name, 1.0, None, f"{name} was not measured")
    held = sum(bound.holds(v) for v in values) / len(values)
    worst = max(values) if bound.op.startswith("<") else min(values)
    spare = to_spare(bound, worst)
    value = held * (_JUST_HOLDS + (1 - _JUST_HOLDS) * min(1.0, max(0.0, spare) / _ROOM))
    text = (f"{name} held in {held:.0%} of the samples and was {bound.tell(worst)} at worst, "
            f"objective {bound}")
    return Part(name, 1.0, value, text)


def of_query(name: str, weight: float, value: float | None, why: str = "") -> Part:
    """A query of the suite's own that gives 0 (ill) to 1 (well)."""
    if value is None:
        return Part(name, weight, None, f"{name} was not measured: {why}")
    if not 0.0 <= value <= 1.0:
        return Part(name, weight, None, f"{name} gave {value:g}, which is not between 0 and 1")
    return Part(name, weight, value, f"{name} was {value:.2f}")


def size(bound: Bound) -> float:
    """How large a bound is: what counts as little or much beside it."""
    if bound.unit == "%" and bound.op.startswith(">"):
        return 1.0 - bound.value
    return abs(bound.value)


def to_spare(bound: Bound, value: float) -> float:
    """How far a value is on the good side of its bound, in sizes of the bound; below 0 beyond."""
    room = bound.value - value if bound.op.startswith("<") else value - bound.value
    large = size(bound)
    return room / large if large else (1.0 if room >= 0 else -1.0)


def _lost(part: Part) -> float:
    return part.weight * (1.0 - (part.value or 0.0))
