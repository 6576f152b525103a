"""F4: a burst of reads must be seen by a rule over the audit log, and only the burst."""

import json
from datetime import timedelta

import pytest

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Verdict
from holdfast.probes.reads_flagged import PROBE

OURS = "holdfast-L1"


def observed(home, *readers, undo=None):
    """Each reader with how many reads a second, for twenty seconds."""
    audit = home / "audit.jsonl"
    lines = [(n / rate, name) for name, rate in readers for n in range(int(20 * rate))]
    text = "".join(json.dumps({"at": 1000 + at, "reader": name}) + "\n"
                   for at, name in sorted(lines))
    audit.write_text("{half\n" + text + '"text"\n{"reader": "x"}\n')
    known = {"audit": str(audit), "reader": OURS} if undo is None else undo
    fault = Fault("security.read_burst", "accounts", {}, str(home), timedelta(1))
    return PROBE.observe({}, str(home), fault, Recipe("L1", fault.type, known))


@pytest.mark.parametrize(("readers", "verdict"), [
    pytest.param([("load", 5), (OURS, 20)], Verdict.HELD, id="the-burst-stands-out"),
    pytest.param([(OURS, 20)], Verdict.HELD, id="nobody-else-reads"),
    pytest.param([("load", 10), (OURS, 20)], Verdict.BROKEN, id="lost-among-others"),
    pytest.param([(OURS, 2)], Verdict.BROKEN, id="too-few-to-be-unusual"),
    pytest.param([("load", 5)], Verdict.UNKNOWN, id="no-read-of-the-fault"),
    pytest.param([("thief", 80), (OURS, 20)], Verdict.BROKEN, id="somebody-else-is-flagged"),
])
def test_the_rule_names_the_burst_and_nobody_else(readers, verdict, tmp_path):
    assert verdict is observed(tmp_path, *readers).verdict


def test_the_finding_says_what_was_counted(tmp_path):
    finding = observed(tmp_path, ("load", 5), (OURS, 20))
    assert {"reads_in_10_seconds": 201, "others_in_10_seconds": 51} == finding.measured
    assert "the rule flags holdfast-L1" in finding.text


def test_what_cannot_be_looked_at_is_unknown(tmp_path):
    assert Verdict.UNKNOWN is observed(tmp_path, undo={}).verdict
    gone = {"audit": str(tmp_path / "gone"), "reader": OURS}
    assert Verdict.UNKNOWN is observed(tmp_path, undo=gone).verdict
