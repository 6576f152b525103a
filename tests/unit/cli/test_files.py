"""The commands about files: plain words, whole lines, exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.files import files
from holdfast.spec.schema import suite_schema

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
NOOP = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: rehearsal, owner: platform-team}
target: {environment: nowhere, services: {nothing: {http: nothing}}}
objectives: [{name: up, indicator: {prometheus: up}, objective: ">= 1"}]
rounds:
  - experiments:
      - name: nothing
        hypothesis: Nothing happens.
        fault: {type: noop, target: nothing, duration: 1s}
"""


def run(*words: str):
    return CliRunner().invoke(files, list(words))


@pytest.fixture
def suite(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    file = tmp_path / "rehearsal.suite.yaml"
    file.write_text(NOOP)
    return str(file)


def test_valid_suites_are_named(suite):
    done = run("validate", suite)
    assert (0, f"{suite}: rehearsal, 1 experiment, valid\n") == (done.exit_code, done.stdout)


def test_the_suites_of_the_house_are_valid():
    assert 0 == run("validate", *map(str, sorted(EXPERIMENTS.glob("*.suite.yaml")))).exit_code


def test_every_error_of_every_file_is_told_and_the_code_is_2(suite, tmp_path):
    broken = tmp_path / "broken.suite.yaml"
    broken.write_text(NOOP.replace("noop", "nop").replace("{http: nothing}", "{htp: nothing}"))
    done = run("validate", str(broken), suite, str(tmp_path / "none"))
    assert 2 == done.exit_code
    assert f"{broken}:10:23: unknown fault type 'nop'" in done.stderr
    assert f"{broken}:4:53: unknown word 'htp' (did you mean 'http'?)" in done.stderr
    assert "No such file" in done.stderr
    assert "rehearsal" in done.stdout


def test_the_freezes_of_the_deployment_are_a_file_too(tmp_path):
    file = tmp_path / "freezes.yaml"
    file.write_text("freezes: [{from: 2026-01-02, to: 2026-01-03, reason: Audit}]")
    assert f"{file}: 1 freezes, valid\n" == run("validate", str(file)).stdout
    file.write_text("freezes: [{from: 2026-01-02, to: 2026-01-01, reason: Audit}]")
    done = run("validate", str(file))
    assert 2 == done.exit_code
    assert f"{file}:1:34: a freeze that begins on 2026-01-02" in done.stderr


def test_a_plan_tells_when_its_window_opens(suite, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_EXPERIMENTS", str(tmp_path))
    assert run("plan", suite).stdout.endswith("\nwindow open now\n")
    freeze = "{from: 2000-01-01, to: 2999-12-31, reason: Long}"
    (tmp_path / "freezes.yaml").write_text(f"freezes: [{freeze}]")
    assert ("frozen from 2000-01-01 to 2999-12-31: Long; no allowed time in a year"
            == json.loads(run("plan", suite, "--format", "json").stdout)["window"])


def test_the_schema_is_json_for_other_programs():
    assert suite_schema() == json.loads(run("schema").stdout)


def test_a_plan_is_told_in_words(suite):
    done = run("plan", suite)
    assert 0 == done.exit_code
    assert "rehearsal on nowhere: 1 experiment," in done.stdout
    assert "nowhere: not known by its name, so it counts as production" in done.stdout


@pytest.mark.parametrize(("limit", "asked"), [(0, True), (100, False)])
def test_a_plan_says_whether_a_person_must_approve_it(suite, limit, asked):
    Path(suite).write_text(f"{NOOP}approval: {{from_impact: {limit}}}\n")
    assert asked == ("a person must approve it, as its impact is" in run("plan", suite).stdout)


def test_a_plan_is_json_with_its_digest(suite):
    told = json.loads(run("plan", suite, "--format", "json").stdout)
    assert told["digest"].startswith("sha256:")
    assert ["nothing"] == [e["name"] for e in told["experiments"]]
    assert ["nothing"] == list(told["impact"]["experiments"])


def test_a_plan_is_a_chart(suite):
    assert run("plan", suite, "--format", "mermaid").stdout.startswith("flowchart")


def test_planning_touches_nothing(suite, tmp_path):
    run("plan", suite)
    assert not (tmp_path / "home").exists()


def test_a_target_that_cannot_be_resolved_is_said_plainly(suite, tmp_path):
    file = tmp_path / "down.suite.yaml"
    file.write_text(NOOP.replace("http: nothing", 'process: "run/none.pid"')
                    .replace("type: noop", "type: process.hang"))
    done = run("plan", str(file))
    assert 1 == done.exit_code
    assert done.stderr.startswith("holdfast: nothing: ")
