"""The resilience score of a service over a window: six weighted parts, each explained."""

from collections.abc import Iterable, Sequence

from holdfast.model.score import Part, Score, Seen, Tried
from holdfast.score.parts import (
    alone,
    availability,
    budget_left,
    success,
    time_between,
    time_to_repair,
)

WINDOW_DAYS = 7
LEAST_MEASURED = 0.5
"""Below this part of the weights a few good figures would pass for the whole."""
WEIGHTS = {
    "availability": 0.3,
    "time to repair": 0.2,
    "time between failures": 0.2,
    "error budget left": 0.1,
    "experiment success": 0.1,
    "recovery without help": 0.1,
}


def resilience(tried: Sequence[Tried], seen: Seen, runs: Sequence[str]) -> Score:
    """Weigh the parts that were measured; no score without a fault, or with less than half of it.

    A part that was not measured is left out and the weights of the others are scaled up to 1. The
    text names those parts, and whatever did not hold: the number alone says neither.
    """
    judged = (
        availability(seen), time_to_repair(tried), time_between(seen), budget_left(seen),
        success(tried), alone(tried),
    )
    parts = [
        Part(name, weight, value, text, _runs(behind))
        for (name, weight), (value, text, behind) in zip(WEIGHTS.items(), judged, strict=True)
    ]
    known = sum(part.weight for part in parts if part.value is not None)
    text = ""
    if not tried:
        text = f"no score: no fault was injected in the last {WINDOW_DAYS} days"
    elif known < LEAST_MEASURED:
        text = (f"no score: only {_percent(known)} of the weights were measured, at least "
                f"{_percent(LEAST_MEASURED)} are needed; {_text(parts, tried)}")
    if text:
        return Score(None, text, WINDOW_DAYS, runs, parts)
    return Score(_weighed(parts), _text(parts, tried), WINDOW_DAYS, runs, parts)


def _weighed(parts: Iterable[Part]) -> float:
    known = [(part.weight, part.value) for part in parts if part.value is not None]
    return round(sum(w * v for w, v in known) / sum(w for w, _ in known), 3)


def _text(parts: Sequence[Part], tried: Sequence[Tried]) -> str:
    known = [p for p in parts if p.value is not None]
    faults = "1 fault" if len(tried) == 1 else f"{len(tried)} faults"
    told = [f"from {faults}"]
    missing = [p.name for p in parts if p.value is None]
    if missing:
        weight = _percent(sum(p.weight for p in known))
        told.append(f"not measured and left out: {', '.join(missing)}, so {weight} of the "
                    "weights count as the whole")
    low = sorted((p for p in known if p.value != 1.0), key=_cost, reverse=True)
    if low:
        told.append("it loses most by " + "; ".join(f"{p.name} ({p.text})" for p in low[:2]))
    return "; ".join(told)


def _percent(weight: float) -> str:
    return f"{round(weight * 100)} %"


def _cost(part: Part) -> float:
    return part.weight * (1.0 - (part.value or 0.0))


def _runs(tried: Iterable[Tried]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.run_id for t in tried))
