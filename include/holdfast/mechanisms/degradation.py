"""When something is broken, the functions that do not need it go on."""

from collections.abc import Mapping
from statistics import fmean

from holdfast.mechanisms._operations import share_ok
from holdfast.mechanisms._series import counted, during, number
from holdfast.model.fault import Setting
from holdfast.model.mechanism import MechanismState
from holdfast.ports.mechanisms import Indicator, Judged, Mechanism, Need, Watched


class Degradation:
    """WORKING: something was degraded or failed, and all that must go on did.

    PARTIAL: some of what must go on did. BROKEN: nothing of it did.
    """

    indicators: Mapping[str, Indicator] = {
        "degraded": Indicator("answers that were poorer than usual", counter=True, need=Need.NEVER),
    }
    others = "share of a function's requests that were well, 0..1, by the function's name"
    reads_history = True
    params: Mapping[str, Setting] = {
        "must": Setting(
            "text", None, "functions that must go on, with commas between", required=True
        ),
        "works_at": Setting("ratio", 0.95, "share of requests well from which on it works"),
    }

    def judge(self, watched: Watched) -> Judged:
        """Say which functions still worked."""
        shares = {name: share for name in _functions(watched)
                  if (share := _share(name, watched)) is not None}
        must = [name.strip() for name in str(watched.params["must"]).split(",")]
        unseen = [name for name in must if name not in shares]
        if unseen:
            text = f"nothing was seen of {', '.join(unseen)} while the fault was on"
            return Judged(MechanismState.NOT_VALIDATED, text)
        limit, degraded = number(watched, "works_at"), counted(watched, "degraded")
        down = [name for name, share in shares.items() if share < limit]
        kept = [name for name in must if name not in down]
        figures: dict[str, float | int | str] = {
            f"well_{name}": round(share, 4) for name, share in shares.items()
        }
        figures["degraded"] = degraded
        said = ", ".join(f"{name} {share:.1%}" for name, share in sorted(shares.items()))
        if not down and not degraded:
            text = f"every function worked as usual: {said}"
            return Judged(MechanismState.NOT_VALIDATED, text, figures)
        poorer = f"; {degraded} answers were poorer than usual" if degraded else ""
        return Judged(_state(must, kept), f"requests that were well: {said}{poorer}", figures)


def _state(must: list[str], kept: list[str]) -> MechanismState:
    if len(kept) == len(must):
        return MechanismState.WORKING
    return MechanismState.PARTIAL if kept else MechanismState.BROKEN


def _functions(watched: Watched) -> list[str]:
    """Those with a query of their own, and those of the history."""
    own = [name for name in watched.series if name not in Degradation.indicators]
    return sorted({*own, *(o.f for o in watched.operations)})


def _share(name: str, watched: Watched) -> float | None:
    values = [value for _, value in during(watched, name)]
    if values:
        return fmean(values)
    return share_ok((o for o in watched.operations if o.f == name), watched)


MECHANISM: Mechanism = Degradation()
