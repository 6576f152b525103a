"""The guard's decision: go on, wait, or end the fault. Pure; the loop around it is a step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isinf

from holdfast.model.burn import burn_rate, burns
from holdfast.model.indicator import Question
from holdfast.model.lease import Reason
from holdfast.model.quantities import Bound, BurnCondition, StopCondition, brief
from holdfast.ports.metrics import Sample
from holdfast.safety.conditions import Condition
from holdfast.safety.meter import Policy

_NOT_ASKED = Sample(None, 0.0, "not asked")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a guard knows from before.

    `steady` says whether every objective has held once, so that a fault may be on. `breach_since`
    maps a condition to the date (unix seconds) since which it has been true; it is kept in the
    lease row, so a restarted guard goes on with it. `data_at` maps a condition to the guard's own
    clock when it last had data, at first the guard's start.
    """

    steady: bool
    data_at: Mapping[str, float]
    breach_since: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`go` means renew; a `reason` means revoke; neither means wait without a renewal.

    `reading` holds each objective's value (None without data) and, when an objective was at
    fault, the date of its sample as `sampled_at`.
    """

    go: bool
    memory: Memory
    reason: Reason | None = None
    text: str = ""
    reading: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """One condition with what was read for it; `rates` are the burn rates of its windows."""

    condition: Condition
    sample: Sample
    rates: tuple[float, ...]
    why: str
    """Why there is no data; empty when all of it is there."""

    @property
    def has_data(self) -> bool:
        return not self.why


def judge(conditions: Sequence[Condition], samples: Mapping[Question, Sample], memory: Memory,
          now: float, policy: Policy) -> Decision:
    """Decide on one set of samples, given by question; `now` is the guard's own clock.

    Before the first go every objective itself must hold; from then on only the stop conditions
    end the fault. A breach outranks missing data, which never resets the time of a breach.
    """
    seen = [_look(condition, samples) for condition in conditions]
    after = _remember(seen, memory, now)
    breached = [look for look in seen if _has_tripped(look, after)]
    if memory.steady and breached:
        return _revoke(Reason.BREACH, breached, seen, after)
    unsteady = [look for look in seen if _is_unsteady(look) or look in breached]
    if not memory.steady and unsteady:
        return _revoke(Reason.NOT_STEADY, unsteady, seen, after)
    silent = [look for look in seen if now - after.data_at[look.condition.key] > policy.grace]
    if silent and not (memory.steady and policy.hold_without_data):
        text = _each(f"no data for {look.condition.name} for "
                     f"{now - after.data_at[look.condition.key]:.1f} s: {look.why}"
                     for look in silent)
        return Decision(False, after, Reason.NO_DATA, text, _reading(seen))
    return Decision(after.steady, after, reading=_reading(seen))


def usable(objective: Bound, sample: Sample) -> Sample:
    """The sample, but for an endless value on the good side: a division by nothing says nothing."""
    endless = sample.value is not None and isinf(sample.value)
    if not endless or not objective.holds(sample.value or 0.0):
        return sample
    return Sample(None, sample.at, "the value is endless")


def _look(condition: Condition, samples: Mapping[Question, Sample]) -> _Look:
    bound = condition.objective
    own, *over = (usable(bound, samples.get(q, _NOT_ASKED)) for q in condition.questions)
    why = "" if own.value is not None else own.why or "no data"
    rates = [burn_rate(bound, s.value) for s in over if s.value is not None]
    if isinstance(condition.stop, BurnCondition) and len(rates) < len(over):
        windows = zip(condition.stop.windows, over, strict=True)
        why = why or next(f"over {brief(w)}: {s.why}" for w, s in windows if s.value is None)
    return _Look(condition, own, tuple(rates), why)


def _remember(seen: Sequence[_Look], memory: Memory, now: float) -> Memory:
    breach_since = dict(memory.breach_since)
    for look in seen:
        key, stop, sample = look.condition.key, look.condition.stop, look.sample
        if sample.value is None or isinstance(stop, BurnCondition):
            continue
        if stop.bound.holds(sample.value):
            breach_since[key] = min(breach_since.get(key, sample.at), sample.at)
        else:
            breach_since.pop(key, None)
    return Memory(
        steady=memory.steady or all(look.has_data for look in seen),
        data_at={look.condition.key: now if look.has_data
                 else memory.data_at.get(look.condition.key, now) for look in seen},
        breach_since=breach_since,
    )


def _is_unsteady(look: _Look) -> bool:
    value = look.sample.value
    return value is not None and not look.condition.objective.holds(value)


def _has_tripped(look: _Look, memory: Memory) -> bool:
    stop, sample = look.condition.stop, look.sample
    if isinstance(stop, BurnCondition):
        return len(look.rates) == len(stop.windows) and burns(stop, look.rates)
    since = memory.breach_since.get(look.condition.key)
    if sample.value is None or since is None:
        return False
    return sample.at - since >= stop.hold.total_seconds()


def _revoke(reason: Reason, culprits: Sequence[_Look], seen: Sequence[_Look],
            after: Memory) -> Decision:
    say = _unsteady_text if reason is Reason.NOT_STEADY else _breach_text
    text = _each(say(look, after) for look in culprits)
    reading = _reading(seen) | {"sampled_at": max(look.sample.at for look in culprits)}
    return Decision(False, after, reason, text, reading)


def _each(texts: Iterator[str]) -> str:
    """Say each thing once: several conditions may be about one objective."""
    return "; ".join(dict.fromkeys(texts))


def _unsteady_text(look: _Look, memory: Memory) -> str:
    if not _is_unsteady(look) and look.rates:
        return f"{_breach_text(look, memory)}, before the fault"
    return f"{_was(look)} before the fault, objective {look.condition.objective}"


def _breach_text(look: _Look, memory: Memory) -> str:
    condition, stop = look.condition, look.condition.stop
    if isinstance(stop, BurnCondition):
        rates = " and ".join(f"{rate:.3g}x over {brief(window)}"
                             for rate, window in zip(look.rates, stop.windows, strict=True))
        return f"{condition.name} burnt its budget at {rates}, the guard stops on {stop}"
    lasted = look.sample.at - memory.breach_since[condition.key]
    text = _was(look) + (f" for {lasted:.1f} s" if lasted > 0 else "")
    if condition.tolerated:
        return f"{text}, the guard stops on {stop}"
    return f"{text}, objective {condition.objective}"


def _was(look: _Look) -> str:
    condition = look.condition
    others = (condition.stop.bound,) if isinstance(condition.stop, StopCondition) else ()
    value = condition.objective.tell(look.sample.value or 0.0, *others)
    return f"{condition.name} was {value}"


def _reading(seen: Sequence[_Look]) -> dict[str, object]:
    reading: dict[str, object] = {}
    for look in seen:
        name = look.condition.name
        reading[name] = _plain(look.sample.value)
        stop = look.condition.stop
        if isinstance(stop, BurnCondition) and len(look.rates) == len(stop.windows):
            told = zip(stop.windows, look.rates, strict=True)
            reading |= {f"{name} burn {brief(w)}": _plain(r) for w, r in told}
    return reading


def _plain(value: float | None) -> object:
    """A number that JSON knows, else its text."""
    return str(value) if value is not None and not isfinite(value) else value
