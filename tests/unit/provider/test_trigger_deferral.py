"""The task that holds a fault: it defers to the guard and believes the store only."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from holdfast.model.lease import End, LeaseState, Reason, Revocation
from holdfast.model.run import Entry, EntryKind
from holdfast.model.verdict import Verdict
from holdfast.safety.conditions import Watch
from holdfast.steps.book import findings
from support.airflow import own_home
from support.guard import a_lease, a_suite, a_watch
from support.ports import memory_ports

pytestmark = pytest.mark.dag
own_home()
RUN = "shop--manual_1"
CONTEXT = {
    "dag_run": SimpleNamespace(dag_id="shop", run_id="manual:1", run_type="manual"),
    "params": {},
}
DONE = {"lease_id": "lease", "state": "reverting", "reason": "duration"}


@pytest.fixture
def ports(tmp_path, monkeypatch):
    from holdfast.provider import wiring

    made = memory_ports(tmp_path)
    suite = a_suite().model_dump(mode="json", by_alias=True)
    made.books.write(Entry(RUN, EntryKind.SUITE, "suite", {
        "suite": suite, "only": [], "dry_run": False, "file": "", "digest": ""}))
    monkeypatch.setattr(wiring, "ports", lambda: made)
    return made


def sensor():
    from holdfast.provider.sensors.hold import HoldFaultSensor

    return HoldFaultSensor(task_id="inject", experiment="hang", lease_id="lease")


def put(ports, **facts):
    ports.leases.rows["lease"] = a_lease(run_id=RUN, **facts)


def deferral(act):
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as caught:
        act()
    return caught.value


def test_it_defers_to_the_guard_and_is_always_bounded(ports):
    put(ports)
    deferred = deferral(lambda: sensor().execute(CONTEXT))
    assert deferred.method_name == "resume"
    assert deferred.timeout == timedelta(seconds=8 + 5 + 90 + 60)
    assert Watch.model_validate(deferred.trigger.watch) == a_watch()
    assert deferred.trigger.prometheus == "prometheus_default"


def test_a_fault_that_ran_its_time_lets_the_task_succeed(ports):
    put(ports, state=LeaseState.REVERTING, ended=End.DURATION)
    sensor().resume(CONTEXT, DONE)
    assert [Verdict.HELD] == [f.verdict for f in findings(ports, RUN)]


def test_a_breach_fails_the_task_for_good(ports):
    from airflow.sdk.exceptions import AirflowFailException

    put(ports, state=LeaseState.REVERTING, ended=End.REVOKED, injected_at=1.0,
        revoked=Revocation(Reason.BREACH, "p95 was high", "guard", ""))
    with pytest.raises(AirflowFailException, match="GuardTripped: p95 was high"):
        sensor().resume(CONTEXT, DONE)


def test_the_store_is_believed_and_not_the_event(ports):
    """An event that tells of an abort changes nothing about a fault that ran its time."""
    put(ports, state=LeaseState.REVERTING, ended=End.DURATION)
    sensor().resume(CONTEXT, DONE | {"reason": "breach"})
    assert [Verdict.HELD] == [f.verdict for f in findings(ports, RUN)]


def test_an_event_of_another_guard_does_not_end_the_watch(ports):
    put(ports, state=LeaseState.ACTIVE, counter=3)
    deferred = deferral(lambda: sensor().resume(CONTEXT, DONE | {"lease_id": "another"}))
    assert deferred.trigger.watch["lease_id"] == "lease"
    assert ports.leases.read("lease").revoked is None


def test_an_event_of_another_guard_after_the_end_is_harmless(ports):
    put(ports, state=LeaseState.CLEAN, ended=End.DURATION)
    sensor().resume(CONTEXT, DONE | {"lease_id": "another"})
    assert [Verdict.HELD] == [f.verdict for f in findings(ports, RUN)]


@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger failure"])
def test_a_watch_that_did_not_come_to_an_end_ends_the_fault(ports, error):
    from airflow.sdk.exceptions import AirflowFailException

    put(ports, state=LeaseState.ACTIVE, injected_at=1.0)
    with pytest.raises(AirflowFailException, match="the guard did not come to an end"):
        sensor().resume_execution("__fail__", {"error": error}, CONTEXT)
    assert Reason.CLOSED is ports.leases.read("lease").revoked.reason
    assert [Verdict.UNKNOWN] == [f.verdict for f in findings(ports, RUN)]


def test_a_deferral_that_timed_out_after_the_fault_ran_its_time_still_fails(ports):
    from airflow.sdk.exceptions import AirflowSensorTimeout

    put(ports, state=LeaseState.CLEAN, ended=End.DURATION)
    with pytest.raises(AirflowSensorTimeout):
        sensor().resume_execution("__fail__", {"error": "Trigger timeout"}, CONTEXT)
