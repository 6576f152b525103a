"""A run through the real steps, for what is made from its records."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.book import write_finding
from holdfast.steps.report import report
from holdfast.steps.reserve import reserve
from holdfast.steps.seal import seal
from holdfast.stores.log import SqlLog
from support.after import ended
from support.approvals import ALWAYS, LAST, yes
from support.ports import START
from support.runs import RUN


def real(home: Path) -> Ports:
    """The ports of a run: planned, approved, started, sealed, reported."""
    home.mkdir(exist_ok=True)
    ports = ended(home, (LAST, f"{LAST}\napproval: {ALWAYS}"), request={"triggered_by": "sre"})
    ports = replace(ports, log=SqlLog(home / "books.db"))
    # the notary's clock is the machine's
    ports.clock.passed = (datetime.now(UTC) - START).total_seconds()  # type: ignore[attr-defined]
    yes(ports)
    reserve(ports, RUN)
    write_finding(ports, RUN, Finding("recovery", Verdict.BROKEN, "took 20 s", "first"))
    seal(ports, RUN)
    report(ports, RUN)
    return ports
