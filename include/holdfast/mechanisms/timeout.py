"""No attempt at a dependency lasts longer than its limit."""

from collections.abc import Mapping

from holdfast.mechanisms._series import counted, number, seconds, since
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Need, Watched

_NEAR = 0.9
"""Part of the limit from which on an attempt was as good as cut off."""


class Timeout:
    """WORKING: attempts came up to the limit, and none passed it.

    PARTIAL: some were cut off, and others passed it. BROKEN: some passed it, and none was cut off.
    """

    indicators: Mapping[str, Indicator] = {
        "longest": Indicator("the longest attempt of the last few seconds, in seconds"),
        "cut-off": Indicator("attempts that were cut off", counter=True, need=Need.NEVER),
    }
    others = ""
    reads_history = False
    params: Mapping[str, Setting] = {
        "limit": Setting("duration", None, "the limit of one attempt", low=0.001, required=True),
        "slack": Setting("duration", 0.1, "what an attempt may take to end", low=0.0),
    }

    def judge(self, watched: Watched) -> Judged:
        """Compare the longest attempt with the limit; attempts may end after the revert."""
        limit, slack = number(watched, "limit"), number(watched, "slack")
        longest = max((value for _, value in since(watched, "longest")), default=0.0)
        cut_off = counted(watched, "cut-off")
        figures = {"longest_seconds": round(longest, 3), "cut_off": cut_off, "limit_seconds": limit}
        took = f"the longest attempt took {seconds(longest)}, the limit is {seconds(limit)}"
        if longest > limit + slack:
            state = MechanismState.PARTIAL if cut_off else MechanismState.BROKEN
            others = f", though {cut_off} attempts were cut off" if cut_off else ""
            return Judged(state, took + others, figures)
        if cut_off or longest >= limit * _NEAR:
            return Judged(MechanismState.WORKING, took, figures)
        return Judged(MechanismState.NOT_VALIDATED, f"{took}: none came near it", figures)


MECHANISM: Mechanism = Timeout()
