"""`holdfast report`: the kept file, or one written now, where the reader wants it."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from holdfast.cli.report import reporter
from holdfast.ports.reports import CannotRender
from holdfast.reports import pdf
from holdfast.settings import Settings
from holdfast.steps.plan import PlanRequest, plan
from holdfast.wiring import ports as wired
from support import suites
from support.ports import FakeMetrics
from support.runs import RUN, WELL


@pytest.fixture
def ports(tmp_path, monkeypatch):
    """The real stores, with one planned run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    made = replace(
        wired(Settings(home=tmp_path, experiments=tmp_path)),
        drivers=suites.drivers(), metrics=lambda _: FakeMetrics(WELL),
    )
    history = tmp_path / "shop" / "history" / "orders.jsonl"
    history.parent.mkdir(parents=True)
    history.touch()
    plan(made, PlanRequest(RUN, suites.written(tmp_path)))
    return made


def ask(*arguments):
    return CliRunner().invoke(reporter, list(arguments))


def keep(ports, name="report.html", content=b"<p>kept"):
    return ports.artefacts.path(ports.artefacts.put(RUN, name, content, "text/html"))


def test_it_says_where_the_report_is_kept(ports):
    path = keep(ports)
    assert (0, f"{path}\n") == ((got := ask(RUN)).exit_code, got.stdout)


def test_the_latest_run_needs_no_id(ports):
    path = keep(ports, "report.junit.xml")
    assert f"{path}\n" == ask("latest", "--format", "junit").stdout


def test_the_kept_file_is_copied_as_it_was_signed(ports, tmp_path):
    keep(ports)
    assert 0 == ask(RUN, "--output", str(tmp_path / "mine.html")).exit_code
    assert b"<p>kept" == (tmp_path / "mine.html").read_bytes()


def test_it_can_go_to_standard_output(ports):
    keep(ports)
    assert b"<p>kept" == ask(RUN, "--output", "-").stdout_bytes


def test_what_was_not_kept_is_written_now_where_the_reader_is(ports, tmp_path):
    got = ask(RUN, "--format", "json")
    assert f"{RUN}.report.json\n" == got.stdout
    told = json.loads((tmp_path / f"{RUN}.report.json").read_text())
    assert (RUN, "UNKNOWN") == (told["run_id"], told["verdict"])
    assert [] == list(ports.artefacts.of(RUN))


@pytest.mark.parametrize(("form", "start"), [
    ("html", b"<!doctype html>"), ("md", b"# UNKNOWN"), ("junit", b"<?xml"), ("pdf", b"%PDF-")])
def test_every_form_can_be_asked_for(ports, form, start):
    assert ask(RUN, "--format", form, "--output", "-").stdout_bytes.startswith(start)


def test_an_unknown_run_is_refused_with_those_there_are(ports):
    got = ask("never")
    assert (2, True) == (got.exit_code, RUN in got.stderr)


def test_a_folder_that_is_not_there_is_refused(ports):
    keep(ports)
    got = ask(RUN, "--output", "no/such/mine.html")
    assert (2, True) == (got.exit_code, "there is no folder no/such" in got.stderr)


def test_without_its_libraries_a_pdf_is_refused_with_the_cure(ports, monkeypatch):
    def lacking(*_):
        raise CannotRender("no PDF: a library is missing; apt-get install libpango-1.0-0")

    monkeypatch.setattr(pdf.PdfReport, "render", lacking)
    got = ask(RUN, "--format", "pdf")
    assert (1, True) == (got.exit_code, "apt-get install libpango-1.0-0" in got.stderr)


def test_without_any_run_there_is_no_latest(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    got = ask("latest")
    assert (2, True) == (got.exit_code, "the latest: none" in got.stderr)
