"""How much of the traffic an experiment has hit, judged; pure."""

from holdfast.model.verdict import Finding, Verdict
from holdfast.safety.traffic import Counted


def judge_blast(experiment: str, hit: Counted, requests: Counted, limit: float) -> Finding:
    """Judge the requests hit in the fault's window by all requests of the run.

    What nobody could count is UNKNOWN, unless what was counted is too much already.
    """
    share = hit.rise / requests.rise if requests.rise else 0.0
    measured: dict[str, object] = {
        "hit": round(hit.rise), "requests": round(requests.rise), "share": round(share, 6),
        "limit": limit,
    }
    text = (f"{hit.rise:.0f} of {requests.rise:.0f} requests of the run were hit "
            f"({share * 100:.3g}%), {limit * 100:.3g}% allowed")
    verdict = Verdict.HELD if share <= limit else Verdict.BROKEN
    if verdict is Verdict.HELD and (hit.unseen or not requests.rise):
        verdict = Verdict.UNKNOWN
        text += (f"; for {hit.unseen:.0f} s nobody counted them" if hit.unseen
                 else "; nobody counted the requests")
    return Finding("blast_radius", verdict, text, experiment, measured)
