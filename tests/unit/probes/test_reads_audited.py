import json
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.probes.reads_audited import PROBE


def observed(home: Path, lines: int, answered: int | None) -> Finding:
    """F4: a burst of reads, and the log that must show it."""
    audit, counted = home / "audit.jsonl", home / "counted"
    theirs = json.dumps({"reader": "load", "account": 1})
    ours = json.dumps({"reader": "holdfast-L1", "account": 1})
    audit.write_text("\n".join([theirs, "{half", '"text"', *[ours] * lines]) + "\n")
    if answered is not None:
        counted.write_bytes(b"." * answered)
    undo = {"audit": str(audit), "reader": "holdfast-L1", "counted": str(counted)}
    fault = Fault("security.read_burst", "accounts", {}, str(home), timedelta(1))
    return PROBE.observe({}, str(home), fault, Recipe("L1", fault.type, undo))


@pytest.mark.parametrize(("lines", "answered", "verdict"), [
    pytest.param(3, 3, Verdict.HELD, id="each-answer-has-its-line"),
    pytest.param(4, 3, Verdict.HELD, id="an-answer-may-have-been-lost-on-its-way"),
    pytest.param(2, 3, Verdict.BROKEN, id="a-read-nobody-wrote-down"),
    pytest.param(0, 0, Verdict.UNKNOWN, id="nothing-read-proves-nothing"),
    pytest.param(0, None, Verdict.UNKNOWN, id="nobody-counted"),
])
def test_answers_are_held_against_lines(
    lines: int, answered: int | None, verdict: Verdict, tmp_path: Path
) -> None:
    assert observed(tmp_path, lines, answered).verdict is verdict


@pytest.mark.parametrize(("lines", "text"), [
    (2, "2 of 3 answered reads are in the audit log"),
    (3, "3 of 3 answered reads are in the audit log"),
    (5, "3 of 3 answered reads are in the audit log, and 2 whose answer did not arrive"),
])
def test_the_finding_counts_both(lines: int, text: str, tmp_path: Path) -> None:
    finding = observed(tmp_path, lines, 3)
    assert finding.text == text
    assert finding.measured == {"reader": "holdfast-L1", "answered": 3, "audited": lines}


def test_a_fault_that_reads_nothing_has_nothing_to_audit(tmp_path: Path) -> None:
    fault = Fault("noop", "accounts", {}, str(tmp_path), timedelta(1))
    finding = PROBE.observe({}, str(tmp_path), fault, Recipe("L1", "noop", {}))
    assert finding == Finding("reads_audited", Verdict.UNKNOWN, "noop reads nothing")
