"""Every acknowledged write is there in the end, once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from holdfast.checkers._keyed import Keyed
from holdfast.checkers.set import final
from holdfast.history.columns import History
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, Checker, KeyChecked, Moment, Observed, first_of

ENOUGH = 10
"""Acknowledged writes below which a clean result says nothing."""


class LostWrites(Keyed):
    """Set difference of keys acknowledged and keys read back.

    `lost`: acknowledged and not there. `recovered`: nobody knew, and it is there (no anomaly).
    `unexpected`: definitely refused, and yet there. `duplicated`: there more than once.
    """

    needs: Literal["history", "service"] = "history"
    params: type[Frozen] = Frozen

    def asks(self, moment: Moment, params: Any) -> Mapping[str, str]:  # noqa: ARG002 - the protocol
        """Nothing beyond the history's own query."""
        return {}

    def check(self, seen: Observed, params: Any) -> Checked:  # noqa: ARG002 - the protocol
        """Judge the writes of a history by all keys read back; up to `allowed` may be lost."""
        present = Counter(str(key) for key in seen.final)
        keys = {
            outcome: list(dict.fromkeys(o.key for o in seen.history if o.outcome == outcome))
            for outcome in ("ok", "fail", "info")
        }
        tried = set(keys["ok"]) | set(keys["info"])
        anomalies = {
            "lost": [k for k in keys["ok"] if k not in present],
            "unexpected": [k for k in keys["fail"] if k in present and k not in tried],
            "duplicated": [k for k in (*keys["ok"], *keys["info"]) if present[k] > 1],
        }
        counts = {name: len(found) for name, found in anomalies.items()} | {
            "acknowledged": len(keys["ok"]), "refused": len(keys["fail"]),
            "unsure": len(keys["info"]), "recovered": sum(k in present for k in keys["info"]),
            "read_back": len(seen.final),
        }
        return _judged(counts, anomalies, seen.allowed)

    def one(self, part: History, options: Any) -> Checked:  # noqa: ARG002 - the room's own shape
        """Judge a history by its own last read, and say how much work was lost."""
        return final(part)

    def join(self, found: Sequence[KeyChecked]) -> Checked:
        """Say nothing of too few acknowledged writes, all keys together."""
        joined = super().join(found)
        if joined.outcome == "valid" and joined.counts["acknowledged"] < ENOUGH:
            return replace(joined, outcome="unknown", text=_too_few(joined.counts["acknowledged"]))
        return joined


def _judged(counts: dict[str, int], anomalies: dict[str, list[str]], allowed: int) -> Checked:
    acknowledged, lost = counts["acknowledged"], counts["lost"]
    if lost > allowed or counts["unexpected"] or counts["duplicated"]:
        return Checked("invalid", _complaint(counts, anomalies, allowed), counts, anomalies)
    if acknowledged < ENOUGH:
        return Checked("unknown", _too_few(acknowledged), counts, anomalies)
    if lost:
        text = f"{lost} of {acknowledged} acknowledged writes are lost; {allowed} may be"
        return Checked("valid", text, counts, anomalies)
    text = f"all {acknowledged} acknowledged writes are there"
    return Checked("valid", text, counts, anomalies)


def _too_few(acknowledged: int) -> str:
    return f"only {acknowledged} acknowledged writes were seen; {ENOUGH} are needed to judge"


def _complaint(counts: dict[str, int], anomalies: dict[str, list[str]], allowed: int) -> str:
    parts, acknowledged = [], counts["acknowledged"]
    if counts["lost"]:
        limit = f" ({allowed} may be)" if allowed else ""
        figures, first = f"{counts['lost']} of {acknowledged}", first_of(anomalies["lost"])
        parts.append(f"{figures} acknowledged writes are lost{limit}: {first}")
    if counts["unexpected"]:
        parts.append(f"{counts['unexpected']} refused writes are there")
    if counts["duplicated"]:
        parts.append(f"{counts['duplicated']} writes are there more than once")
    return "; ".join(parts)


CHECKER: Checker = LostWrites()
