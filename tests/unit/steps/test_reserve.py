"""Taking the environment, and the start on record before any fault (E1)."""

import pytest

from holdfast.errors import EvidenceError, Postponed, Stopped
from holdfast.model.run import EntryKind
from holdfast.steps.book import findings, plan_of
from holdfast.steps.plan import PLAN
from holdfast.steps.reserve import RUN_START, reserve
from holdfast.steps.stop import stop
from support.runs import RUN, planned


def test_the_environment_is_locked_and_the_start_is_signed_with_who_and_what(tmp_path):
    ports = planned(tmp_path, request={"triggered_by": "ada"})
    reserve(ports, RUN)
    start = ports.notary.statements[-1]
    assert RUN == ports.leases.environment("staging").locked_by
    assert (RUN_START, "ada", plan_of(ports, RUN)["digest"], ["dora:art-24.4"]) == (
        start.predicate_type, start.predicate["triggered_by"], start.predicate["plan_digest"],
        start.predicate["controls"],
    )


def test_the_plan_is_on_record_before_the_start(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    assert [PLAN, RUN_START] == [r.predicate_type for r in ports.notary.records(RUN)]


def test_reserving_again_signs_nothing_twice(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    reserve(ports, RUN)
    assert 2 == len(ports.notary.log)


def test_the_epoch_is_remembered(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", RUN)
    ports.leases.stop(None)
    reserve(ports, RUN)
    (entry,) = ports.books.read(RUN, EntryKind.RESERVED)
    assert {"epoch": 1} == entry.data


def test_of_two_runs_the_second_is_postponed_and_not_on_record(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", "nightly--1")
    with pytest.raises(Postponed, match="nightly--1"):
        reserve(ports, RUN)
    assert [PLAN] == [r.predicate_type for r in ports.notary.log]


def test_a_start_that_cannot_be_put_on_record_gives_the_environment_back(tmp_path):
    ports = planned(tmp_path)
    ports.notary.broken = "disk full"
    with pytest.raises(EvidenceError):
        reserve(ports, RUN)
    assert "" == ports.leases.environment("staging").locked_by


@pytest.mark.parametrize("run_id", [RUN, None], ids=["this-run", "all"])
def test_a_run_that_was_stopped_before_it_had_its_environment_never_gets_it(tmp_path, run_id):
    """S5: a stop in the first seconds of a run is not forgotten."""
    ports = planned(tmp_path)
    stop(ports, "ada", "wrong suite", run_id=run_id)
    with pytest.raises(Stopped, match="stopped by ada: wrong suite"):
        reserve(ports, RUN)
    assert "" == ports.leases.environment("staging").locked_by
    assert ["stopped by ada: wrong suite"] == [f.text for f in findings(ports, RUN)]


def test_a_stop_of_another_run_is_not_this_ones(tmp_path):
    ports = planned(tmp_path)
    stop(ports, "ada", "wrong suite", run_id="nightly--1")
    reserve(ports, RUN)
    assert RUN == ports.leases.environment("staging").locked_by


def test_a_stop_of_all_before_the_run_began_is_over(tmp_path):
    stop(planned(tmp_path / "before"), "ada", "yesterday")
    later = tmp_path / "now"
    later.mkdir()
    stops = (tmp_path / "before" / "stops.jsonl").read_text()
    (later / "stops.jsonl").write_text(stops.replace('"at": "2026', '"at": "2025'))
    ports = planned(later)
    reserve(ports, RUN)
    assert RUN == ports.leases.environment("staging").locked_by
