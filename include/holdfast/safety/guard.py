"""The guard's decision: go on, wait, or end the fault. Pure; the loop around it is a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from holdfast.model.lease import Reason
from holdfast.ports.metrics import Sample
from holdfast.safety.conditions import Condition
from holdfast.safety.meter import Policy


@dataclass(frozen=True, slots=True)
class Memory:
    """What a guard knows from before.

    `steady` says whether every objective has held once, so that a fault may be on. `breach_since`
    maps an objective to the date (unix seconds) since which its stop condition has been true; it
    is kept in the lease row, so a restarted guard goes on with it. `data_at` maps an objective to
    the guard's own clock when it last had data, at first the guard's start.
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


def judge(conditions: Sequence[Condition], samples: Mapping[str, Sample], memory: Memory,
          now: float, policy: Policy) -> Decision:
    """Decide on one set of samples, given by query; `now` is the guard's own clock.

    Before the first go every objective itself must hold; from then on only the stop conditions
    end the fault. A breach outranks missing data, which never resets the time of a breach.
    """
    seen = [(c, samples.get(c.query, Sample(None, 0.0, "not asked"))) for c in conditions]
    after = _remember(seen, memory, now)
    silent = [(c, s, now - after.data_at[c.name]) for c, s in seen
              if now - after.data_at[c.name] > policy.grace]
    breached = [(c, s) for c, s in seen if _has_tripped(c, s, after)]
    if memory.steady and breached:
        return _revoke(Reason.BREACH, breached, seen, after)
    unsteady = [(c, s) for c, s in seen if _is_unsteady(c, s) or (c, s) in breached]
    if not memory.steady and unsteady:
        return _revoke(Reason.NOT_STEADY, unsteady, seen, after)
    if silent and not (memory.steady and policy.hold_without_data):
        text = "; ".join(f"no data for {c.name} for {gone:.1f} s: {s.why}" for c, s, gone in silent)
        return Decision(False, after, Reason.NO_DATA, text, _reading(seen))
    return Decision(after.steady, after, reading=_reading(seen))


def _remember(seen: Sequence[tuple[Condition, Sample]], memory: Memory, now: float) -> Memory:
    breach_since = dict(memory.breach_since)
    for condition, sample in seen:
        if sample.value is None:
            continue
        if condition.stop.bound.holds(sample.value):
            since = breach_since.get(condition.name, sample.at)
            breach_since[condition.name] = min(since, sample.at)
        else:
            breach_since.pop(condition.name, None)
    return Memory(
        steady=memory.steady or all(s.value is not None for _, s in seen),
        data_at={c.name: now if s.value is not None else memory.data_at.get(c.name, now)
                 for c, s in seen},
        breach_since=breach_since,
    )


def _is_unsteady(condition: Condition, sample: Sample) -> bool:
    return sample.value is not None and not condition.objective.holds(sample.value)


def _has_tripped(condition: Condition, sample: Sample, memory: Memory) -> bool:
    since = memory.breach_since.get(condition.name)
    if sample.value is None or since is None:
        return False
    return sample.at - since >= condition.stop.hold.total_seconds()


def _revoke(reason: Reason, culprits: Sequence[tuple[Condition, Sample]],
            seen: Sequence[tuple[Condition, Sample]], after: Memory) -> Decision:
    say = _unsteady_text if reason is Reason.NOT_STEADY else _breach_text
    text = "; ".join(say(condition, sample, after) for condition, sample in culprits)
    reading = _reading(seen) | {"sampled_at": max(s.at for _, s in culprits)}
    return Decision(False, after, reason, text, reading)


def _unsteady_text(condition: Condition, sample: Sample, _: Memory) -> str:
    return f"{_was(condition, sample)} before the fault, objective {condition.objective}"


def _breach_text(condition: Condition, sample: Sample, memory: Memory) -> str:
    lasted = sample.at - memory.breach_since[condition.name]
    text = _was(condition, sample) + (f" for {lasted:.1f} s" if lasted > 0 else "")
    if condition.tolerated:
        return f"{text}, the guard stops on {condition.stop}"
    return f"{text}, objective {condition.objective}"


def _was(condition: Condition, sample: Sample) -> str:
    value = condition.objective.tell(sample.value or 0.0, condition.stop.bound)
    return f"{condition.name} was {value}"


def _reading(seen: Sequence[tuple[Condition, Sample]]) -> dict[str, object]:
    return {c.name: str(s.value) if s.value is not None and not isfinite(s.value) else s.value
            for c, s in seen}
