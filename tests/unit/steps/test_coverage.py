"""From signed results to how controls stand (E2): services, own controls, what counts for all."""

import pytest

from holdfast import wiring
from holdfast.errors import SpecError
from holdfast.model.control import State
from holdfast.model.record import Statement
from holdfast.model.verdict import Verdict
from holdfast.settings import Settings
from holdfast.spec.excluded import load_excluded
from holdfast.steps.catalogues import catalogue
from holdfast.steps.coverage import standings
from holdfast.steps.seal import RESULT, seal
from support.after import ended
from support.runs import RUN

ART = "dora:art-24.4"


def result(verdict="HELD", run="one", controls=(ART,), experiments=None, **more):
    told = {
        "suite": "s", "environment": "shop", "verdict": verdict, "controls": list(controls),
        "sealed_at": "2026-01-01T00:00:00.000+00:00",
        "experiments": experiments or [{"name": "x", "service": "api", "verdict": verdict}],
    }
    return run, Statement(RESULT, {}, told | more)


@pytest.fixture
def signed(tmp_path):
    def write(*results):
        ports = wiring.ports(Settings(tmp_path / "home", tmp_path / "experiments"))
        ports.settings.experiments.mkdir(exist_ok=True)
        for run, statement in results:
            ports.notary.append(run, statement)
        return ports
    return write


def of(ports, name=ART):
    return {s.service: s.state for s in standings(ports, "dora", 3650) if s.control.name == name}


def test_each_service_has_the_worst_of_its_experiments(signed):
    ports = signed(result("BROKEN", experiments=[
        {"name": "a", "service": "api", "verdict": "HELD"},
        {"name": "b", "service": "database", "verdict": "BROKEN"},
    ]))
    assert {"api": State.EVIDENCED, "database": State.FAILING} == of(ports)


def test_what_the_whole_run_broke_all_services_have_broken(signed):
    """Lost writes are found after all rounds, and are nobody's alone."""
    assert {"api": State.FAILING} == of(signed(result(
        "BROKEN", experiments=[{"name": "a", "service": "api", "verdict": "HELD"}])))


def test_what_the_whole_run_broke_is_not_hidden_by_an_experiment_that_broke_too(signed):
    """E2: one service's own failure must not leave another evidenced while writes were lost."""
    experiments = [{"name": "a", "service": "api", "verdict": "HELD"},
                   {"name": "b", "service": "database", "verdict": "BROKEN"}]
    found = of(signed(result("BROKEN", whole="BROKEN", experiments=experiments)))
    assert {"api": State.FAILING, "database": State.FAILING} == found


def test_a_control_of_one_experiment_is_its_services_alone(signed):
    ports = signed(result(controls=(), experiments=[
        {"name": "a", "service": "api", "verdict": "HELD", "controls": [ART.upper()]},
        {"name": "b", "service": "database", "verdict": "HELD"},
    ]))
    assert {"api": State.EVIDENCED} == of(ports)


def test_the_latest_result_of_a_run_counts_and_a_postponed_run_says_nothing(signed):
    ports = signed(result("HELD"), result("BROKEN"), result(run="two", is_postponed=True))
    assert [("one", Verdict.BROKEN)] == [(r.run_id, r.verdict) for r in ports.shown.results([ART])]


def test_a_result_of_before_services_were_signed_is_the_environments(signed):
    assert {"shop": State.EVIDENCED} == of(signed(result(
        experiments=[{"name": "a", "verdict": "HELD"}])))


def test_a_sealed_run_says_service_and_controls(tmp_path):
    ports = ended(tmp_path)
    seal(ports, RUN)
    found = {r.service: r for r in ports.shown.results(catalogue())}
    assert {"api", "link"} == set(found)
    assert {ART} == found["api"].controls


@pytest.mark.parametrize(("framework", "service", "told"), [
    ("dorra", "", "unknown framework 'dorra' .did you mean 'dora'"),
    ("dora", "apy", "no run has hit a service 'apy' .did you mean 'api'"),
])
def test_unknown_names_get_the_nearest(signed, framework, service, told):
    with pytest.raises(SpecError, match=told):
        standings(signed(result()), framework, 90, service)


def test_what_does_not_apply_is_said_once_for_the_deployment(signed):
    ports = signed(result())
    file = ports.settings.experiments / "controls.yaml"
    file.write_text("not_applicable: {DORA:art-24.4: we are no bank}\n")
    assert {"any": State.NOT_APPLICABLE} == of(ports)


@pytest.mark.parametrize(("content", "told"), [
    ("not_applicable: {dora:art-2404: x}", r"controls.yaml:1:18: unknown control .*did you mean"),
    ("not_applicable: {dora:art-24.4: ' '}", "nothing says why"),
    ("not_applicabel: {}", "unknown word 'not_applicabel'"),
    ("[", "not YAML"),
])
def test_a_wrong_file_is_told_with_its_place(tmp_path, content, told):
    (tmp_path / "controls.yaml").write_text(content)
    with pytest.raises(SpecError, match=told):
        load_excluded(tmp_path, catalogue())
