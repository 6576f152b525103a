"""Answers go on while a dependency is broken, because something takes its place."""

from collections.abc import Mapping
from statistics import fmean

from holdfast.mechanisms._operations import share_ok
from holdfast.mechanisms._series import counted, during, number
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Need, Watched


class Fallback:
    """WORKING: used, and answers went on. PARTIAL: used, and yet too many answers failed.

    BROKEN: answers failed, and it was not used.
    """

    indicators: Mapping[str, Indicator] = {
        "failures": Indicator("calls to the dependency that failed or were refused", counter=True),
        "used": Indicator("answers that were given without the dependency", counter=True),
        "answered": Indicator(
            "share of the answers that were well, 0..1", need=Need.WITHOUT_HISTORY, sparse=True
        ),
    }
    others = ""
    reads_history = True
    params: Mapping[str, Setting] = {
        "least_failures": Setting("integer", 3, "failed calls that must make it act", low=1),
        "answered": Setting("ratio", 0.95, "share of the answers that must be well"),
        "operation": Setting("text", None, "the operation of the history that it is about"),
    }

    def judge(self, watched: Watched) -> Judged:
        """Compare what failed behind with what users got."""
        failures, used = counted(watched, "failures"), counted(watched, "used")
        answered = _answered(watched)
        figures: dict[str, float | int | str] = {"failures": failures, "used": used}
        if answered is None:
            text = "no answer was seen while the fault was on"
            return Judged(MechanismState.NOT_VALIDATED, text, figures)
        figures["answered"] = round(answered, 4)
        text = f"{failures} calls failed, it was used {used} times, {answered:.1%} were answered"
        return Judged(_state(watched, failures, used, answered), text, figures)


def _state(watched: Watched, failures: int, used: int, answered: float) -> MechanismState:
    is_well = answered >= number(watched, "answered")
    if failures < number(watched, "least_failures") or (is_well and not used):
        return MechanismState.NOT_VALIDATED
    if not used:
        return MechanismState.BROKEN
    return MechanismState.WORKING if is_well else MechanismState.PARTIAL


def _answered(watched: Watched) -> float | None:
    """By the suite's own query, else by the history."""
    values = [value for _, value in during(watched, "answered")]
    if values:
        return fmean(values)
    wanted = watched.params["operation"]
    return share_ok([o for o in watched.operations if wanted in (None, o.f)], watched)


MECHANISM: Mechanism = Fallback()
