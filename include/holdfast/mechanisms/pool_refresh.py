"""Connections to a server that is gone are replaced after a fail-over, and errors end."""

from collections.abc import Mapping

from holdfast.mechanisms._series import first_rise, number, rise, seconds, since
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Watched


class PoolRefresh:
    """WORKING: new connections were opened after the fail-over, and errors ended in time.

    PARTIAL: opened, but errors went on for longer. BROKEN: none was opened, or errors did not end.
    """

    indicators: Mapping[str, Indicator] = {
        "switched": Indicator("fail-overs", counter=True),
        "opened": Indicator("connections that pools opened", counter=True),
        "errors": Indicator("share of the requests that failed, 0..1", sparse=True),
    }
    others = ""
    reads_history = False
    params: Mapping[str, Setting] = {
        "within": Setting("duration", 10.0, "how long after the fail-over errors end", low=0.1),
        "errors": Setting("ratio", 0.01, "share of errors that counts as none"),
    }

    def judge(self, watched: Watched) -> Judged:
        """Follow errors and connections from the fail-over on."""
        at = first_rise(watched.series.get("switched", ()), watched.injected)
        if at is None:
            return Judged(MechanismState.NOT_VALIDATED, "there was no fail-over")
        opened = round(rise(watched.series.get("opened", ()), watched.injected, watched.end))
        figures: dict[str, float | int | str] = {"opened": opened}
        bad = [t for t, value in since(watched, "errors") if value > number(watched, "errors")]
        lasted = max([0.0, *(t - at for t in bad)])
        figures["errors_lasted_seconds"] = round(lasted, 1)
        last = max((t for t, _ in since(watched, "errors")), default=at)
        if bad and bad[-1] == last:
            text = f"errors had not ended {seconds(lasted)} after the fail-over"
            return Judged(MechanismState.BROKEN, text, figures, may_change=True)
        if not opened:
            text = "no connection was opened after the fail-over"
            return Judged(MechanismState.BROKEN, text, figures)
        within = number(watched, "within")
        state = MechanismState.WORKING if lasted <= within else MechanismState.PARTIAL
        text = (f"{opened} connections were opened, errors ended {seconds(lasted)} after the "
                f"fail-over, {seconds(within)} allowed")
        return Judged(state, text, figures)


MECHANISM: Mechanism = PoolRefresh()
