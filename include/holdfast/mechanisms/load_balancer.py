"""A load balancer takes a dead instance out, and puts it back when it lives again."""

from collections.abc import Mapping

from holdfast.mechanisms._series import between, number, seconds, since
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Series, Watched


class LoadBalancer:
    """WORKING: out in time, and back in time. PARTIAL: out, but late, or not back in time.

    BROKEN: an instance was dead for long enough, and was not taken out.
    """

    indicators: Mapping[str, Indicator] = {
        "alive": Indicator("instances that live"),
        "in-service": Indicator("instances that the load balancer sends requests to"),
    }
    others = ""
    reads_history = False
    params: Mapping[str, Setting] = {
        "out_within": Setting("duration", 4.0, "how long after its death it is out", low=0.1),
        "back_within": Setting("duration", 5.0, "how long after its return it is back", low=0.1),
    }

    def judge(self, watched: Watched) -> Judged:
        """Compare how many live with how many are in service."""
        usual = _usual(watched)
        dead = [at for at, value in since(watched, "alive") if value < usual]
        if not dead:
            return Judged(MechanismState.NOT_VALIDATED, "no instance died")
        died, lasted = dead[0], dead[-1] - dead[0]
        figures: dict[str, float | int | str] = {"dead_seconds": round(lasted, 1)}
        out = _first(since(watched, "in-service"), below=usual)
        if out is None and lasted < number(watched, "out_within"):
            text = f"an instance was dead for {seconds(lasted)} only: too short to tell"
            return Judged(MechanismState.NOT_VALIDATED, text, figures)
        if out is None:
            text = f"an instance was dead for {seconds(lasted)}, and was not taken out"
            return Judged(MechanismState.BROKEN, text, figures)
        # the balancer may have seen it before our own scrape did
        figures["out_after_seconds"] = round(max(0.0, out - died), 1)
        return _after_it_was_out(watched, usual, dead[-1], figures)


def _after_it_was_out(
    watched: Watched, usual: float, last_dead: float, figures: dict[str, float | int | str]
) -> Judged:
    served = since(watched, "in-service")
    out_after = float(figures["out_after_seconds"])
    is_late = out_after > number(watched, "out_within")
    text = f"the dead instance was out after {seconds(out_after)}" + (
        f", {seconds(number(watched, 'out_within'))} allowed" if is_late else ""
    )
    if served[-1][1] < usual:
        text += ", and is not back"
        return Judged(MechanismState.PARTIAL, text, figures, may_change=True)
    back = next(at for at, _ in served if at > max(t for t, v in served if v < usual))
    back_after = max(0.0, back - last_dead)
    figures["back_after_seconds"] = round(back_after, 1)
    text += f" and back {seconds(back_after)} after it was last seen dead"
    is_late |= back_after > number(watched, "back_within")
    state = MechanismState.PARTIAL if is_late else MechanismState.WORKING
    return Judged(state, text, figures)


def _usual(watched: Watched) -> float:
    """How many lived just before the fault; without a sample from then, the most ever seen."""
    alive = watched.series["alive"]
    before = between(alive, watched.start, watched.injected)
    return before[-1][1] if before else max(value for _, value in alive)


def _first(series: Series, below: float) -> float | None:
    return next((at for at, value in series if value < below), None)


MECHANISM: Mechanism = LoadBalancer()
