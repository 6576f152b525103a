"""The report of a run, from what its stores say."""

import hashlib
import json
from pathlib import Path

import pytest

from holdfast.errors import EvidenceError
from holdfast.evidence.head import Head
from holdfast.evidence.verify import Evidence, verify
from holdfast.model.lease import End, Reason, Revocation
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.reports import CannotRender
from holdfast.reports import pdf
from holdfast.steps.book import write_finding
from holdfast.steps.content import content
from holdfast.steps.recover import recover
from holdfast.steps.report import report
from holdfast.steps.reserve import reserve
from holdfast.steps.seal import seal
from support import suites
from support.after import ended, put_lease, set_state
from support.evidence import roles_of
from support.memory_books import MemoryNotary
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL, planned

SERIES = {suites.LATENCY: [(START.timestamp() + s, 0.05) for s in range(30)]}


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    """Drawing takes a second: only the test that looks at every form waits for it."""
    if request.node.name != "test_it_is_written_in_every_form":
        monkeypatch.setattr(pdf.PdfReport, "render", lambda *_: b"%PDF-")


def _whole(tmp_path):
    ports = ended(tmp_path, metrics=FakeMetrics(WELL, ranges=SERIES))
    reserve(ports, RUN)
    recover(ports, RUN, "second", "lease-second")
    write_finding(ports, RUN, Finding("lost_writes", Verdict.HELD, "orders: all are there"))
    seal(ports, RUN)
    return ports


def test_it_is_written_in_every_form(tmp_path):
    ports = _whole(tmp_path)
    page = Path(report(ports, RUN))
    names = {a.name for a in ports.artefacts.of(RUN) if a.name.startswith("report.")}
    assert {"report.html", "report.json", "report.junit.xml", "report.md", "report.pdf"} == names
    assert "orders: all are there" in page.read_text()


def test_a_form_that_this_machine_cannot_write_is_left_out_and_said(tmp_path, monkeypatch, caplog):
    """K4: without libpango a run still has its report, and the log says what to install."""
    def lacking(*_):
        raise CannotRender("no PDF: apt-get install libpango-1.0-0")

    monkeypatch.setattr(pdf.PdfReport, "render", lacking)
    ports = _whole(tmp_path)
    report(ports, RUN)
    names = {a.name for a in ports.artefacts.of(RUN) if a.name.startswith("report.")}
    assert {"report.html", "report.json", "report.junit.xml", "report.md"} == names
    (line,) = caplog.messages
    assert "report.pdf of checkout--manual_1 is left out: no PDF: apt-get install" in line
    assert [] == _troubles(ports)


def _signed(ports):
    return [r for r in ports.notary.records(RUN) if r.predicate_type.endswith("report/v1")]


def _troubles(ports):
    def digest(name):
        path = next(ports.artefacts.path(a) for a in ports.artefacts.of(RUN) if a.name == name)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    log = ports.notary.records()
    checked = verify(Evidence(log, Head(None), digest), RUN, roles_of(ports.notary))
    return [(t.code, t.where) for t in checked.troubles]


@pytest.mark.parametrize("name", ["report.html", "report.json", "report.junit.xml", "report.md"])
def test_a_report_that_was_edited_or_deleted_is_found(tmp_path, name):
    """E1: the report is what people read, so it is signed too."""
    ports = _whole(tmp_path)
    report(ports, RUN)
    assert [] == _troubles(ports)
    path = tmp_path / "artefacts" / RUN / name
    path.write_text("all is well")
    assert [("E_ARTEFACT_MISMATCH", name)] == _troubles(ports)
    path.unlink()
    assert [("E_ARTEFACT_MISSING", name)] == _troubles(ports)


def test_the_same_report_is_signed_once_and_another_one_again(tmp_path):
    ports = _whole(tmp_path)
    report(ports, RUN)
    report(ports, RUN)
    assert 1 == len(_signed(ports))
    write_finding(ports, RUN, Finding("late", Verdict.UNKNOWN, "not known"))
    report(ports, RUN)
    assert (2, []) == (len(_signed(ports)), _troubles(ports))


def test_a_report_that_cannot_be_signed_stays_and_is_an_evidence_error(tmp_path):
    ports = planned(tmp_path, notary=MemoryNotary())
    ports.notary.broken = "no permission on the key file"
    with pytest.raises(EvidenceError, match="no permission"):
        report(ports, RUN)
    assert (tmp_path / "artefacts" / RUN / "report.html").exists()


def test_it_tells_what_users_felt_and_how_the_guard_did(tmp_path):
    told = content(_whole(tmp_path), RUN)
    second = next(t for t in told.trials if t.name == "second")
    assert (8000, None, 0, 0) == (
        second.active_ms, second.detection_ms, second.recovery_from_fault_ms, second.failed)
    assert {("went on to the end", 4300)} == {(g.decision, g.lease_margin_ms) for g in told.guarded}


def test_charts_are_in_the_authors_unit_with_the_fault_windows(tmp_path):
    told = content(_whole(tmp_path), RUN)
    chart = next(c for c in told.charts if c.name == "latency")
    start = START.timestamp()
    assert ((start, 50.0), 500.0, (start + 10, start + 18.5)) == (
        chart.points[0], chart.limit, (chart.windows[0].start, chart.windows[0].end))


def test_the_evidence_is_named(tmp_path):
    proof = content(_whole(tmp_path), RUN).proof
    assert (["plan/v1", "run-start/v1", "result/v1"], 64) == (
        [kind for _, kind, _ in proof.records], len(proof.key_id))


def test_an_abort_shows_its_reading_and_its_latency(tmp_path):
    ports = _whole(tmp_path)
    said = Revocation(Reason.BREACH, "errors was 3%, objective < 1%", "guard",
                      "2025-12-31T23:59:59.900+00:00", spent_ms=40)
    put_lease(ports, "second", 1, revoked=said, ended=End.REVOKED)
    row = next(g for g in content(ports, RUN).guarded if g.experiment == "second")
    decision = "aborted: an objective was breached"
    assert (decision, "errors was 3%, objective < 1%", 40, 100, 140) == (
        row.decision, row.reading, row.guard_ms, row.keeper_ms, row.abort_ms)


def test_the_headline_is_the_worst_finding(tmp_path):
    ports = _whole(tmp_path)
    write_finding(ports, RUN, Finding("recovery", Verdict.BROKEN, "40 s, 30 s allowed", "second"))
    assert "2 of 3 experiments held; second: 40 s, 30 s allowed" == content(ports, RUN).headline


def test_a_run_that_never_began_has_a_report_too(tmp_path):
    ports = planned(tmp_path, notary=MemoryNotary())
    report(ports, RUN)
    page = Path(report(ports, RUN)).read_text()
    assert "UNKNOWN" in page
    assert "first, beside, second: not tried" in page
    assert "cannot be read" in page


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_an_experiment_that_was_never_begun_says_so(tmp_path, name):
    ports = planned(tmp_path)
    report(ports, RUN)
    page = (tmp_path / "artefacts" / RUN / name).read_text()
    assert "the fault was never injected" in page


def test_a_postponed_run_says_why(tmp_path):
    ports = planned(tmp_path)
    set_state(ports, RunState.POSTPONED, reason="errors had no data")
    assert "Postponed, no verdict: errors had no data" == content(ports, RUN).headline


def test_what_was_left_out_is_named_and_the_same_choice_can_be_repeated(tmp_path):
    told = content(planned(tmp_path, request={"only": ("second",)}), RUN)
    assert (["first", "beside"], "holdfast run checkout --only second") == (
        told.left_out, told.repeat[0])


def test_the_json_of_a_real_run_can_be_read(tmp_path):
    ports = _whole(tmp_path)
    report(ports, RUN)
    kept = json.loads((tmp_path / "artefacts" / RUN / "report.json").read_text())
    assert ("HELD", 3) == (kept["verdict"], len(kept["trials"]))
