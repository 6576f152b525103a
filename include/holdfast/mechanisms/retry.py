"""Failed attempts are tried again: not too often, and with a pause that grows."""

from collections.abc import Mapping
from statistics import fmean

from holdfast.mechanisms._series import counted, number, seconds, since
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Need, Watched


class Retry:
    """WORKING: tried again, within the allowed number, with pauses that grow.

    PARTIAL: tried again, but too often, without a pause, or with one that does not grow.
    BROKEN: attempts failed, and none was tried again.
    """

    indicators: Mapping[str, Indicator] = {
        "failures": Indicator("first attempts that failed", counter=True),
        "retries": Indicator("attempts after the first", counter=True),
        "first-pause": Indicator("mean pause before the second attempt, in seconds", sparse=True),
        "second-pause": Indicator(
            "mean pause before the third attempt, in seconds", need=Need.NEVER, sparse=True
        ),
    }
    others = ""
    reads_history = False
    params: Mapping[str, Setting] = {
        "least_failures": Setting("integer", 3, "failed attempts that must make it act", low=1),
        "most_retries": Setting("integer", 2, "attempts after the first, for each failed", low=1),
        "shortest_pause": Setting("duration", 0.01, "the least mean pause", low=0.0),
        "growth": Setting("ratio", 0.3, "how much longer the second pause is at least"),
    }

    def judge(self, watched: Watched) -> Judged:
        """Count the attempts, and compare the pauses."""
        failures, retries = counted(watched, "failures"), counted(watched, "retries")
        figures: dict[str, float | int | str] = {"failures": failures, "retries": retries}
        if failures < number(watched, "least_failures"):
            text = f"{failures} first attempts failed: too few to tell"
            return Judged(MechanismState.NOT_VALIDATED, text, figures)
        if not retries:
            text = f"{failures} first attempts failed, and none was tried again"
            return Judged(MechanismState.BROKEN, text, figures)
        first, second = _mean(watched, "first-pause"), _mean(watched, "second-pause")
        pauses = {"first_pause_seconds": first, "second_pause_seconds": second}
        figures |= {name: round(value, 3) for name, value in pauses.items() if value is not None}
        lacks = _lacks(watched, (failures, retries), first, second)
        text = f"{failures} first attempts failed, {retries} times it was tried again"
        if lacks:
            return Judged(MechanismState.PARTIAL, f"{text}, but {', '.join(lacks)}", figures)
        paused = " and then ".join(seconds(p) for p in (first, second) if p is not None)
        return Judged(MechanismState.WORKING, f"{text}, after {paused}", figures)


def _mean(watched: Watched, name: str) -> float | None:
    values = [value for _, value in since(watched, name)]
    return fmean(values) if values else None


def _lacks(
    watched: Watched, counts: tuple[int, int], first: float | None, second: float | None
) -> list[str]:
    failures, retries = counts
    lacks = []
    if retries > failures * number(watched, "most_retries"):
        lacks.append(f"{number(watched, 'most_retries'):g} for each are allowed")
    if first is None:
        return [*lacks, "no pause was seen"]
    if first < number(watched, "shortest_pause"):
        lacks.append(f"after {seconds(first)} only")
    if second is not None and second < first * (1 + number(watched, "growth")):
        lacks.append(f"the pause does not grow: {seconds(first)}, then {seconds(second)}")
    return lacks


MECHANISM: Mechanism = Retry()
