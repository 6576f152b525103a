"""Whether the audit log shows every read that somebody unusual was given."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.probes import Probe

_NAME = "reads_audited"


class ReadsAudited:
    """Count the reader's lines in the audit log against the answers that it got."""

    def observe(
        self, services: Mapping[str, Mapping[str, str]],  # noqa: ARG002 - the protocol's
        home: str, fault: Fault, recipe: Recipe,  # noqa: ARG002 - as above
    ) -> Finding:
        """Held when there is a line for each answer at least."""
        undo = recipe.undo
        if not {"audit", "reader", "counted"} <= undo.keys():
            return Finding(_NAME, Verdict.UNKNOWN, f"{fault.type} reads nothing")
        reader = str(undo["reader"])
        try:
            answered = Path(str(undo["counted"])).stat().st_size
            seen = sum(name == reader for name in _readers(Path(str(undo["audit"]))))
        except OSError as error:
            return Finding(_NAME, Verdict.UNKNOWN, f"{error.filename}: {error.strerror}")
        measured = {"reader": reader, "answered": answered, "audited": seen}
        if not answered:
            return Finding(_NAME, Verdict.UNKNOWN, "no read was answered", measured=measured)
        text = f"{min(seen, answered)} of {answered} answered reads are in the audit log"
        if seen > answered:
            text += f", and {seen - answered} whose answer did not arrive"
        verdict = Verdict.HELD if seen >= answered else Verdict.BROKEN
        return Finding(_NAME, verdict, text, measured=measured)


def _readers(audit: Path) -> Iterator[str]:
    with audit.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            try:
                yield str(json.loads(line)["reader"])
            except (ValueError, KeyError, TypeError):  # half a line, or another format
                continue


PROBE: Probe = ReadsAudited()
