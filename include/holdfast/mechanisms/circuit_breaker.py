"""A circuit breaker opens, stays open while its dependency is broken, tries, and closes again."""

from collections.abc import Mapping
from itertools import groupby

from holdfast.mechanisms._series import counted, first_rise, number, rise, seconds, since
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Need, Series, Watched

_HALF_OPEN = 1


class CircuitBreaker:
    """WORKING: all four. PARTIAL: it opened, and one of the others was not seen.

    BROKEN: enough calls failed, and it did not open. The samples of `state` are a second apart:
    without the counters, a state that is shorter may not be seen.
    """

    indicators: Mapping[str, Indicator] = {
        "failures": Indicator("calls to the dependency that failed or took too long", counter=True),
        "state": Indicator("0 closed, 1 half-open, 2 open; the highest of all processes"),
        "opened": Indicator("transitions to open", counter=True, need=Need.NEVER),
        "half-opened": Indicator("transitions to half-open", counter=True, need=Need.NEVER),
    }
    others = ""
    reads_history = False
    params: Mapping[str, Setting] = {
        "least_failures": Setting("integer", 5, "failed calls that must make it open", low=1),
        "open_for": Setting("duration", 1.0, "how long it stays open at least", low=0.0),
    }

    def judge(self, watched: Watched) -> Judged:
        """Follow it from the first failed call to the last state seen."""
        failures, least = counted(watched, "failures"), number(watched, "least_failures")
        states = since(watched, "state")
        opened_at = _opened_at(watched, states)
        figures: dict[str, float | int | str] = {"failures": failures}
        if opened_at is None and failures < least:
            text = f"{failures} calls failed, {least:g} would have to make it open"
            return Judged(MechanismState.NOT_VALIDATED, text, figures)
        if opened_at is None:
            text = f"{failures} calls failed, and it did not open"
            return Judged(MechanismState.BROKEN, text, figures)
        figures["opened_after_seconds"] = round(opened_at - watched.injected, 1)
        return _after_it_opened(watched, states, figures)


def _after_it_opened(
    watched: Watched, states: Series, figures: dict[str, float | int | str]
) -> Judged:
    stayed, tries = _longest(states), _tries(watched, states)
    closed = _closed_after(watched, states)
    figures |= {"not_closed_seconds": round(stayed, 1), "half_opened": tries}
    if closed is not None:
        figures["closed_after_seconds"] = round(closed, 1)
    lacks = []
    if stayed < number(watched, "open_for"):
        lacks.append(f"stayed open for {seconds(stayed)} only")
    if not tries:
        lacks.append("was not seen half-open")
    if closed is None:
        ago = seconds(watched.end - watched.reverted)
        lacks.append(f"was not closed {ago} after the revert")
    opened = f"opened {seconds(float(figures['opened_after_seconds']))} after the fault"
    if lacks:
        text = f"{opened}, but {', '.join(lacks)}"
        return Judged(MechanismState.PARTIAL, text, figures, may_change=closed is None)
    text = (f"{opened}, was not closed for {seconds(stayed)}, tried {tries} times half-open, and "
            f"was closed {seconds(closed or 0.0)} after the revert")
    return Judged(MechanismState.WORKING, text, figures)


def _opened_at(watched: Watched, states: Series) -> float | None:
    seen = [next((at for at, value in states if value > _HALF_OPEN), None),
            first_rise(watched.series.get("opened", ()), watched.injected)]
    return min((at for at in seen if at is not None), default=None)


def _longest(states: Series) -> float:
    """The longest time in which no sample showed it closed."""
    runs = (list(run) for is_closed, run in groupby(states, lambda s: s[1] < _HALF_OPEN)
            if not is_closed)
    return max((run[-1][0] - run[0][0] for run in runs), default=0.0)


def _tries(watched: Watched, states: Series) -> int:
    counter = rise(watched.series.get("half-opened", ()), watched.injected, watched.end)
    return round(counter) or sum(value == _HALF_OPEN for _, value in states)


def _closed_after(watched: Watched, states: Series) -> float | None:
    """Seconds from the revert until it was closed and stayed so; None if it is not closed."""
    if not states or states[-1][1] >= _HALF_OPEN:
        return None
    last_open = max((at for at, value in states if value >= _HALF_OPEN), default=0.0)
    closed_at = next(at for at, _ in states if at > last_open)
    return max(0.0, closed_at - watched.reverted)


MECHANISM: Mechanism = CircuitBreaker()
