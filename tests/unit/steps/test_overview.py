"""S5: who holds what."""

from dataclasses import replace

from holdfast.model.lease import LeaseState
from holdfast.steps.overview import overview
from support.runs import RUN, lease, planned


def test_an_environment_names_the_run_that_holds_it_and_its_faults(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", RUN)
    ports.leases.rows["lease-first"] = lease(state=LeaseState.ACTIVE)
    ports.leases.rows["lease-second"] = lease("second")
    there, = overview(ports).places
    assert (RUN, ["first"]) == (there.holder.id, [x.experiment for x in there.leases])


def test_a_holder_that_the_books_do_not_know_is_nobody(tmp_path):
    ports = planned(tmp_path)
    there = ports.leases.environment("staging")
    ports.leases.places["staging"] = replace(there, locked_by="gone--1")
    assert [None] == [place.holder for place in overview(ports).places]


def test_runs_are_all_there(tmp_path):
    assert [RUN] == [run.id for run in overview(planned(tmp_path)).runs]
