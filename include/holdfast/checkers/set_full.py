"""What was added to a set stays in it: by every read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from holdfast.checkers._history import complaint, seen
from holdfast.checkers._keyed import Keyed
from holdfast.checkers._sets import Adds, Reads, names
from holdfast.history.columns import FAIL, NO_TIME, OK, Bytes, History, Ints
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, KeyedChecker

_NEVER = np.iinfo(np.int64).max
_MILLION = 1e6
_QUANTILES = (0.0, 0.5, 0.95, 0.99, 1.0)


class SetFullOptions(Frozen):
    """How strong a set is promised."""

    linearizable: bool = Field(
        False, description="a read must show at once what was acknowledged: stale is an anomaly"
    )


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of each element, by rows: when it was known to be there, and the reads around it.

    `absent` is where the last read without it began, `present` where the last one with it ended;
    -1 without one. `known` is its acknowledgement or the end of the first read with it.
    """

    known: Ints
    absent: Ints
    present: Ints

    @classmethod
    def of(cls, adds: Adds, reads: Reads) -> "Fates":
        """Find them for all elements at once; each read is one row of bits."""
        ends, count = np.argsort(reads.done, kind="stable"), len(adds)
        first = _decided(ends, reads.present)[:count]
        last = _decided(ends[::-1], reads.present)[:count]
        begins = np.argsort(reads.begun, kind="stable")
        absent = _decided(begins[::-1], reads.present, flip=True)[:count]
        shown = np.where(first < 0, _NEVER, reads.done[first])
        told = np.where(adds.outcome == OK, adds.done, _NEVER)
        return cls(
            np.minimum(shown, told), np.where(absent < 0, -1, reads.begun[absent]),
            np.where(last < 0, -1, reads.done[last]),
        )

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Known, then not in a read, and in none that ended later."""
        return (self.known < self.absent) & (self.present < self.absent)

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Read, and not lost."""
        return (self.present >= 0) & ~self.lost

    @property
    def stale(self) -> NDArray[np.bool_]:
        """Known, then not in a read, and back later."""
        return self.stable & (self.known < self.absent)

    @property
    def never_read(self) -> NDArray[np.bool_]:
        """Acknowledged, and no read after that."""
        return (self.known < _NEVER) & (self.present < 0) & ~self.lost


class SetFull(Keyed):
    """Judge all reads.

    `lost`: known to be there (acknowledged or read), and from some read on gone. `unexpected`:
    refused or never tried, yet read. `duplicated`: in one read more than once. `stale`: not in a
    read that began after it was known, but in a later one; an anomaly only if `linearizable`.
    """

    options: type[Frozen] = SetFullOptions

    def one(self, part: History, options: Any) -> Checked:
        """Judge one set."""
        return _judged(part, is_strict=options.linearizable)


def _judged(history: History, *, is_strict: bool) -> Checked:
    adds = Adds.of(history)
    reads = Reads.of(history, adds)
    counts = seen(history) | {"adds": len(adds), "acknowledged": int((adds.outcome == OK).sum()),
                              "reads": len(reads.done)}
    if not len(reads.done):
        return Checked("unknown", "nothing was read", counts)
    fates = Fates.of(adds, reads)
    found = {"lost": fates.lost, "stale": fates.stale}
    anomalies: dict[str, Sequence[str]] = {
        name: names(adds, adds.codes[_in_order(which, fates)]) for name, which in found.items()
    }
    refused = (adds.outcome == FAIL) & (fates.present >= 0)
    anomalies["unexpected"] = names(adds, [*adds.codes[refused].tolist(), *reads.unexpected])
    anomalies["duplicated"] = names(adds, list(reads.duplicated))
    counts |= {name: len(places) for name, places in anomalies.items()} | {
        "stable": int(fates.stable.sum()), "never_read": int(fates.never_read.sum())}
    details, worst = _latencies(history, adds, fates)
    if not is_strict:
        del anomalies["stale"]
        worst.pop("stale", None)
    return _told(counts, anomalies, worst, details)


def _told(
    counts: dict[str, int], anomalies: Mapping[str, Sequence[str]], worst: Mapping[str, str],
    details: Mapping[str, Any],
) -> Checked:
    if said := complaint(anomalies):
        return Checked("invalid", said, counts, anomalies, worst, details)
    if not counts["stable"]:
        return Checked("unknown", "no element was read: nothing was observed", counts)
    text = f"all of {counts['stable']} elements stayed in {counts['reads']} reads"
    if counts["stale"]:
        text += f"; {counts['stale']} were seen late"
    return Checked("valid", text, counts, anomalies, worst, details)


def _decided(order: Ints, present: Bytes, *, flip: bool = False) -> Ints:
    """The first read in this order that has each element (or, flipped, has it not); -1: none."""
    wide = present.shape[1]
    undecided = np.full(wide, 255, np.uint8)
    found = np.full(wide * 8, -1, np.int64)
    for read in order:
        hit = undecided & (~present[read] if flip else present[read])
        where = np.flatnonzero(hit)
        if not len(where):
            continue
        undecided ^= hit
        bits = np.unpackbits(hit[where, None], axis=1).astype(bool)
        found[(where[:, None] * 8 + np.arange(8))[bits]] = read
    return found


def _in_order(which: NDArray[np.bool_], fates: Fates) -> Ints:
    """The elements, by when they were known."""
    found = np.flatnonzero(which)
    return found[np.argsort(fates.known[found], kind="stable")]


def _latencies(
    history: History, adds: Adds, fates: Fates
) -> tuple[dict[str, Any], dict[str, str]]:
    """How long it took until elements stayed, or were gone: milliseconds, by quantiles."""
    details, worst, times = dict[str, Any](), dict[str, str](), history.time_ns
    for name, which, until in (("stable", fates.stable, fates.absent),
                               ("lost", fates.lost, fates.present)):
        chosen = np.flatnonzero(which)
        rows = until[chosen]
        begun, ended = times[fates.known[chosen]], times[rows]
        timed = begun != NO_TIME
        late = np.where((rows < 0) | (ended < begun), 0, (ended - begun) / _MILLION)[timed]
        if not len(late):
            continue
        quantiles = np.quantile(late, _QUANTILES)
        details[f"{name}_latency_ms"] = {
            f"{q:g}": round(float(v), 3) for q, v in zip(_QUANTILES, quantiles, strict=True)}
        if late.max() > 0:
            which_one = chosen[timed][int(np.argmax(late))]
            element = adds.atoms.text(int(adds.codes[which_one]))
            worst["stale" if name == "stable" else name] = f"{element} after {late.max():.0f} ms"
    return details, worst


CHECKER: KeyedChecker = SetFull()
