"""The command `controls` (E2)."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.audit.request import Request
from holdfast.cli.controls import app
from holdfast.steps.export import export
from support.oscal_runs import real


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(tmp_path))


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_controls_are_listed_by_the_name_that_suites_use():
    lines = run("list", "--framework", "dora").stdout.splitlines()
    assert 23 == len(lines)
    assert any(line.startswith("dora:art-24.4 ") for line in lines)


def test_one_is_shown_whatever_its_case():
    said = run("show", "soc2-tsc-2017:A1.3").stdout
    assert said.startswith("soc2-tsc-2017:a1.3: ")
    assert "stale after" in said
    told = json.loads(run("show", "soc2-tsc-2017:a1.3", "--json").stdout)
    assert "soc2-tsc-2017:a1.3" == told["control"]


@pytest.mark.parametrize("words", [
    ("list", "--framework", "dorra"), ("show", "dora:art-24.5x"), ("gaps", "--framework", "soc3"),
    ("coverage", "--framework", "dora", "--service", "nowhere"),
])
def test_an_unknown_name_gets_the_nearest(words):
    done = run(*words)
    assert (2, True) == (done.exit_code, "holdfast: " in done.stderr)


def test_with_no_run_everything_is_a_gap_and_nothing_is_called_met():
    done = run("gaps", "--framework", "dora")
    assert 0 == done.exit_code
    assert "no-evidence" in done.stdout
    assert "for people to judge" in done.stdout
    told = json.loads(run("coverage", "--framework", "dora", "--json").stdout)
    assert {"no-evidence", "not-evidenceable"} == {s["state"] for s in told}


@pytest.mark.usefixtures("quick_pdf")
def test_oscal_documents_are_looked_through_for_what_the_schema_misses(tmp_path):
    """E2: a link that leads nowhere."""
    export(real(tmp_path / "run"), Request(), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        for name in archive.namelist():
            if name.startswith("oscal/"):
                (tmp_path / Path(name).name).write_bytes(archive.read(name))
    names = ("assessment-plan.json", "assessment-results.json", "poam.json")
    files = [str(tmp_path / name) for name in names]
    assert 0 == run("lint", *files).exit_code
    place = tmp_path / "assessment-results.json"
    text, count = re.subn(r'("observation-uuid":")[0-9a-f]{8}', r"\g<1>00000000",
                          place.read_text(), count=1)
    place.write_text(text)
    result = run("lint", *files)
    assert (1, 1, True) == (count, result.exit_code, "OSCAL_" in result.stdout)
