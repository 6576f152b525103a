"""What a run's book gives back."""

import pytest

from holdfast.errors import SpecError, Stopped
from holdfast.model.run import EntryKind
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import (
    experiment_of,
    fault_of,
    findings,
    plan_of,
    run_of,
    stopped_since,
    suite_entry,
    suite_of,
    write,
    write_finding,
)
from holdfast.steps.postpone import postpone
from holdfast.steps.preflight import preflight
from holdfast.steps.reserve import reserve
from holdfast.steps.stop import stop
from support.ports import memory_ports
from support.runs import RUN, planned


def test_findings_come_back_as_they_were_written(tmp_path):
    ports = memory_ports(tmp_path)
    one = Finding("fault", Verdict.HELD, "It ended.", "first", {"seconds": 7.0})
    two = Finding("lost_writes", Verdict.BROKEN, "Two were lost.")
    for finding in (one, two):
        write_finding(ports, RUN, finding)
    assert [one, two] == findings(ports, RUN)


def test_a_later_finding_takes_the_place_of_an_earlier(tmp_path):
    ports = memory_ports(tmp_path)
    for verdict in (Verdict.BROKEN, Verdict.HELD):
        write_finding(ports, RUN, Finding("fault", verdict, "seen", "first"))
    assert [Verdict.HELD] == [f.verdict for f in findings(ports, RUN)]


def test_an_experiment_is_found_with_its_round(tmp_path):
    suite = suite_of(planned(tmp_path), RUN)
    number, experiment = experiment_of(suite, "second")
    assert (1, "kill") == (number, experiment.fault.type)


def test_an_unknown_experiment_is_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown experiment 'third'"):
        experiment_of(suite_of(planned(tmp_path), RUN), "third")


def test_a_fault_knows_the_state_folder(tmp_path):
    ports = planned(tmp_path)
    suite = suite_of(ports, RUN)
    assert str(tmp_path) == fault_of(ports, suite, experiment_of(suite, "beside")[1]).home


@pytest.mark.parametrize("read", [run_of, suite_of, plan_of])
def test_a_run_that_is_not_there_is_said_plainly(tmp_path, read):
    with pytest.raises(SpecError, match=RUN):
        read(memory_ports(tmp_path), RUN)


def test_a_suite_of_another_version_is_refused_in_one_sentence(tmp_path):
    ports = planned(tmp_path)
    entry = suite_entry(ports, RUN)
    write(ports, RUN, EntryKind.SUITE, "checkout", entry | {"suite": {"apiVersion": "v9"}})
    with pytest.raises(SpecError, match="written down by another version of Holdfast"):
        suite_of(ports, RUN)


def test_a_run_knows_that_it_was_stopped_or_held(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    assert "" == stopped_since(ports, RUN)
    ports.leases.stop(None, run_id=RUN)
    assert "environment staging was stopped since the run began" == stopped_since(ports, RUN)
    ports.leases.stop(None, run_id=RUN, hold="maintenance")
    assert "environment staging is held: maintenance" == stopped_since(ports, RUN)


@pytest.mark.parametrize("run_id", [RUN, None], ids=["of-it", "of-all"])
def test_a_run_that_waits_learns_of_a_stop_that_was_typed_elsewhere(tmp_path, run_id):
    """N1: it has no lease and no environment yet, and the stops file is another machine's."""
    ports = planned(tmp_path)
    assert {} == stop(ports, "alice", "enough", run_id=run_id)
    ports.settings.stops.unlink()
    assert "stopped by alice: enough" == stopped_since(ports, RUN)
    with pytest.raises(Stopped, match="stopped by alice: enough"):
        preflight(ports, RUN)


def test_a_run_that_is_over_is_told_of_no_stop(tmp_path):
    ports = planned(tmp_path)
    postpone(ports, RUN, "busy")
    stop(ports, "alice", "enough")
    assert [] == ports.books.read(RUN, EntryKind.STOP)
