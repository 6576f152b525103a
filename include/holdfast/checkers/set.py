"""What was added to a set is there in the end: by the last read alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from holdfast.checkers._history import complaint, seen
from holdfast.checkers._keyed import Keyed
from holdfast.checkers._sets import Adds, Reads, names
from holdfast.history.columns import FAIL, INFO, NO_TIME, OK, History, Ints
from holdfast.ports.checkers import Checked, KeyedChecker


class Set(Keyed):
    """Judge the last successful read.

    `lost`: acknowledged before it was sent, and not in it. `unexpected`: refused or never tried,
    yet in it. `duplicated`: in it more than once. `recovered` (no anomaly): nobody knew, it is
    there.
    """

    def one(self, part: History, options: Any) -> Checked:  # noqa: ARG002 - the room's own shape
        """Judge one set."""
        return final(part)


def final(history: History) -> Checked:
    """Hold the last read against what clients were told."""
    adds = Adds.of(history)
    reads = Reads.of(history, adds)
    counts = seen(history) | {"adds": len(adds), "acknowledged": int((adds.outcome == OK).sum()),
                              "reads": len(reads.done)}
    if not len(reads.done):
        return Checked("unknown", "nothing was read", counts)
    row = int(reads.done[-1])
    there = np.unpackbits(reads.present[-1], count=len(adds)).astype(bool)
    due = (adds.outcome == OK) & (adds.done < reads.begun[-1])
    refused = there & (adds.outcome == FAIL)
    lost = np.flatnonzero(due & ~there)
    lost = lost[np.argsort(adds.done[lost], kind="stable")]
    anomalies = {
        "lost": names(adds, adds.codes[lost]),
        "unexpected": names(adds, adds.codes[refused])
        + names(adds, _in(reads.unexpected, row)),
        "duplicated": names(adds, _in(reads.duplicated, row)),
    }
    counts |= {name: len(found) for name, found in anomalies.items()} | {
        "recovered": int((there & (adds.outcome == INFO)).sum())}
    if said := complaint(anomalies):
        details = _recovery_point(history, adds.done[lost])
        return Checked("invalid", said + _tell(details), counts, anomalies, {}, details)
    if not due.any():
        return Checked("unknown", "nothing was acknowledged before the last read", counts)
    return Checked("valid", f"all {int(due.sum())} acknowledged elements are in the last read",
                   counts, anomalies)


def _recovery_point(history: History, lost: Ints) -> dict[str, Any]:
    """How much was lost: rows, and the time from the first acknowledgement of them to the last."""
    if not len(lost):
        return {}
    point: dict[str, Any] = {"rows": len(lost)}
    if (history.time_ns[lost] != NO_TIME).all():
        point["seconds"] = round(float(np.ptp(history.time_ns[lost])) / 1e9, 3)
    return {"recovery_point": point}


def _tell(details: Mapping[str, Any]) -> str:
    point = details.get("recovery_point", {})
    if "seconds" not in point:
        return ""
    return f"; recovery point: {point['rows']} rows, {point['seconds']:g} s"


def _in(places: Mapping[int, tuple[int, int]], row: int) -> list[int]:
    """What the last read has: what is seen in it last, as none comes after it."""
    return [code for code, (_, last) in places.items() if last == row]


CHECKER: KeyedChecker = Set()
