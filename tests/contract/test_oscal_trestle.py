"""A second opinion about the documents: compliance-trestle, where it is there (`make peers`)."""

import subprocess

import pytest

from holdfast.oscal.lint import lint
from support.oscal import IDS, rich
from support.oscal_defects import DEFECTS, PLAN, POAM, RESULTS, Opened
from support.peers import installed

TRESTLE = installed("trestle")
PLACES = {
    PLAN: "assessment-plans/one/assessment-plan.json",
    RESULTS: "assessment-results/one/assessment-results.json",
    POAM: "plan-of-action-and-milestones/one/plan-of-action-and-milestones.json",
}
pytestmark = pytest.mark.skipif(
    TRESTLE is None, reason="compliance-trestle is not in .peers/trestle: make peers")


@pytest.fixture
def validated(tmp_path):
    """Let trestle look at documents; its exit code and what it said."""
    def trestle(*words):
        return subprocess.run([str(TRESTLE / "trestle"), *words], cwd=tmp_path, check=False,
                              capture_output=True, text=True, timeout=60)

    def validate(made):
        assert 0 == trestle("init", "--local").returncode
        for name, content in made.items():
            place = tmp_path / PLACES[name]
            place.parent.mkdir()
            place.write_bytes(content)
        done = trestle("validate", "-a")
        return done.returncode, done.stdout + done.stderr
    return validate


def test_trestle_has_nothing_against_the_documents(validated):
    code, said = validated(rich().documents())
    assert (0, 3) == (code, said.count("VALID: Model")), said


@pytest.mark.parametrize("name", [
    "observation-lost", "risk-lost", "method-by-feeling", "end-before-start",
    "satisfied-though-it-failed", "target-is-no-control", "subject-lost",
])
def test_what_trestle_lets_pass_the_lint_finds(validated, name):
    opened = Opened(rich().documents())
    DEFECTS[name][1](opened, lambda parts: parts[0])
    assert (0, True) == (validated(opened.written())[0], bool(lint(opened.written(), IDS)))
