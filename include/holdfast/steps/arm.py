"""Take a lease on a fault and start its keeper, without touching the target."""

import uuid
from datetime import datetime, timedelta
from functools import partial

from holdfast.clients.host import boot_id, keeper_host
from holdfast.errors import FaultError, SafetyError, Stopped
from holdfast.model.fault import Fault
from holdfast.model.lease import Lease, LeaseState, Reason
from holdfast.model.record import PREDICATES
from holdfast.model.run import Entry, EntryKind
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import expect_approved
from holdfast.steps.book import experiment_of, fault_of, note_stop, suite_of
from holdfast.steps.cosign import seen_by_witnesses
from holdfast.steps.limit import within
from holdfast.steps.planned import expect_as_planned
from holdfast.steps.revert import ensure_clean, revoke_open

STEADY_FOR = timedelta(minutes=5)
"""How old the last look at the target may be when its fault is armed."""
ARMED_SECONDS = 15.0
_DRIVER_SECONDS = 10.0
_PAUSE = 0.05


def arm(ports: Ports, run_id: str, experiment_name: str) -> str:
    """Open a new lease, journal its recipe, start its keeper; give back the lease's id once armed.

    Every older lease of the experiment is revoked and clean before, since a task can run again
    while its first fault is on. Whatever fails, nothing stays armed.
    """
    suite = suite_of(ports, run_id)
    number, experiment = experiment_of(suite, experiment_name)
    fault = fault_of(ports, suite, experiment)
    _supersede(ports, run_id, experiment_name, (fault.service, number))
    _refuse(ports, run_id, number)
    expect_as_planned(ports, run_id, experiment_name, fault)
    lease = ports.leases.open(Lease(
        id=uuid.uuid4().hex, run_id=run_id, round=number, experiment=experiment_name,
        environment=suite.target.environment, fault_type=fault.type, service=fault.service,
        host=keeper_host(ports.settings.home), boot_id=boot_id(), epoch=0,
        lease_seconds=suite.guard.lease.total_seconds(),
        duration_seconds=fault.duration.total_seconds(),
        delay_seconds=fault.delay.total_seconds(),
        opened_at=ports.clock.now().isoformat(),
    ))
    try:
        _start(ports, lease, fault)
    except BaseException:
        revoke_open(ports, lease.id, Reason.CLOSED, "it could not be armed", "arm")
        ensure_clean(ports, lease.id, "arm")
        raise
    return lease.id


def _start(ports: Ports, lease: Lease, fault: Fault) -> None:
    # Again, now that the lease carries an epoch: a stop before `open` left no other trace on it.
    if stopped := note_stop(ports, lease.run_id):
        raise Stopped(stopped)
    driver = ports.drivers[fault.type]
    recipe = within(_DRIVER_SECONDS, partial(driver.arm, fault, lease.id), "arm")
    ports.journals.create(lease, fault, recipe)
    ports.keepers.start(lease.id)
    _wait(ports, lease.id)
    ports.books.write(Entry(
        lease.run_id, EntryKind.LEASE, lease.id, {"lease_id": lease.id, "round": lease.round},
        lease.experiment, ports.clock.now().isoformat(),
    ))


def _wait(ports: Ports, lease_id: str) -> None:
    until = ports.clock.boottime() + ARMED_SECONDS
    while ports.clock.boottime() < until:
        row = ports.leases.read(lease_id)
        if row.revoked is not None:
            raise Stopped(f"revoked while it was armed ({row.revoked.reason}): {row.revoked.text}")
        if row.state is LeaseState.ARMED:
            return
        if row.state is not LeaseState.OPENED:
            raise FaultError(f"the keeper gave it up: {row.detail}", target=f"lease {lease_id}")
        ports.clock.sleep(_PAUSE)
    raise FaultError(
        f"no keeper has claimed it within {ARMED_SECONDS:g} s", target=f"lease {lease_id}"
    )


def _supersede(ports: Ports, run_id: str, experiment: str, place: tuple[str, int]) -> None:
    """End older tries of the experiment, and what other rounds left on the same target."""
    service, number = place
    for lease in ports.leases.leases(run_id=run_id, open_only=True):
        again = lease.experiment == experiment
        if again or (lease.service == service and lease.round != number):
            why = "a later try took its place" if again else "a later round needs its target"
            revoke_open(ports, lease.id, Reason.SUPERSEDED, why, "arm")
            ensure_clean(ports, lease.id, "arm")


def _refuse(ports: Ports, run_id: str, number: int) -> None:
    stopped = note_stop(ports, run_id)
    if stopped:
        raise Stopped(stopped)
    starts = [r.index for r in ports.notary.so_far(run_id)
              if r.predicate_type == f"{PREDICATES}run-start/v1"]
    if not starts:
        raise SafetyError("the run's start is not in the evidence log; no fault before it is")
    is_asked = suite_of(ports, run_id).compliance.cosigned
    if is_asked and seen_by_witnesses(ports) <= starts[-1]:
        raise SafetyError("too few witnesses have seen the run's start; no fault before they have")
    expect_approved(ports, run_id)
    name = f"round-{number + 1}"
    steady = [e for e in ports.books.read(run_id, EntryKind.STEADY) if e.name == name]
    if not steady or steady[-1].data.get("broken"):
        raise SafetyError(f"round {number + 1} was not found steady")
    age = ports.clock.now() - datetime.fromisoformat(steady[-1].at)
    if abs(age) > STEADY_FOR:
        when = "old" if age > STEADY_FOR else "old: a clock went back"
        raise SafetyError(f"the last look at the target is {age.total_seconds():.0f} s {when}")
