"""Whether a rule over the audit log would have called somebody about unusual reading."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.probes import Probe

WINDOW, TIMES, LEAST = 10.0, 3, 30
"""The rule: whoever reads more in ten seconds than three times what anybody else has read in any
ten seconds of the same time, and 30 at least, is reading unusually much."""
_LONG = 600.0
"""How far back from the last read the log is looked at. Seconds."""
_NAME = "reads_flagged"


class ReadsFlagged:
    """Apply the rule to the audit log: it must name the reader of the fault, and nobody else."""

    def observe(
        self, services: Mapping[str, Mapping[str, str]],  # noqa: ARG002 - the protocol's
        home: str, fault: Fault, recipe: Recipe,  # noqa: ARG002 - as above
    ) -> Finding:
        """Held when the rule flags the reader of the fault alone."""
        undo = recipe.undo
        if not {"audit", "reader"} <= undo.keys():
            return Finding(_NAME, Verdict.UNKNOWN, f"{fault.type} reads nothing")
        reader = str(undo["reader"])
        try:
            busiest = _busiest(Path(str(undo["audit"])))
        except OSError as error:
            return Finding(_NAME, Verdict.UNKNOWN, f"{error.filename}: {error.strerror}")
        if reader not in busiest:
            return Finding(_NAME, Verdict.UNKNOWN, "the audit log shows no read of the fault's")
        flagged = [name for name in busiest if _is_unusual(name, busiest)]
        others = [name for name in flagged if name != reader]
        most = max((n for name, n in busiest.items() if name != reader), default=0)
        measured = {"reads_in_10_seconds": busiest[reader], "others_in_10_seconds": most}
        text = (f"{busiest[reader]} accounts read in ten seconds, {most} at most by anybody else: "
                f"the rule flags {', '.join(flagged) or 'nobody'}")
        verdict = Verdict.HELD if reader in flagged and not others else Verdict.BROKEN
        return Finding(_NAME, verdict, text, measured=measured)


def _is_unusual(name: str, busiest: Mapping[str, int]) -> bool:
    most = max((n for other, n in busiest.items() if other != name), default=0)
    return busiest[name] >= LEAST and busiest[name] > TIMES * most


def _busiest(audit: Path) -> Mapping[str, int]:
    """The most that each reader has read in any ten seconds of the log's last ten minutes."""
    reads = sorted(_reads(audit))
    begin = reads[-1][0] - _LONG if reads else 0.0
    times: dict[str, list[float]] = defaultdict(list)
    for at, name in reads:
        if at >= begin:
            times[name].append(at)
    return {name: _most(found) for name, found in times.items()}


def _most(times: list[float]) -> int:
    """The most of sorted times within one window."""
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] > WINDOW:
            first += 1
        most = max(most, last - first + 1)
    return most


def _reads(audit: Path) -> Iterator[tuple[float, str]]:
    with audit.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            try:
                told = json.loads(line)
                yield float(told["at"]), str(told["reader"])
            except (ValueError, KeyError, TypeError):  # half a line, or another format
                continue


PROBE: Probe = ReadsFlagged()
