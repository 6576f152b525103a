"""The promise, shown: a fault is on, all of Airflow is killed, and the fault ends all the same."""

from pathlib import Path

from holdfast.cli import lab
from holdfast.cli.border import out
from holdfast.cli.run import launch
from holdfast.errors import HoldfastError
from holdfast.model.lease import Lease, LeaseState
from holdfast.model.run import RunState
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import Line

EXPERIMENT = "database-latency"


def promise(ports: Ports, suite: Path) -> bool:
    """Start a fault, SIGKILL Airflow, and tell from the journal and the target when it was gone."""
    asked = launch(ports, suite, [EXPERIMENT])
    lease = _wait_for(ports, asked.run_id, LeaseState.ACTIVE, 120.0)
    driver, recipe = ports.drivers[lease.fault_type], ports.journals.open(lease.id).recipe()
    seen = driver.residue(recipe)
    out.print(
        f"  {lease.fault_type} is active; seen on the target: {'; '.join(seen)}", markup=False
    )
    killed_at = ports.clock.boottime()
    count = lab.kill_airflow(ports.settings)
    out.print(f"  {0.0:5.2f}s  SIGKILL to {count} processes: all of Airflow is dead", markup=False)
    lines = _until_clean(ports, lease, killed_at)
    for line in lines:
        facts = (
            f" ({line.facts['ended']}: {line.facts.get('detail', '')})"
            if "ended" in line.facts
            else ""
        )
        out.print(f"  {line.boottime - killed_at:5.2f}s  keeper: {line.state}{facts}", markup=False)
    left = driver.residue(recipe)
    clean = lines[-1].state == LeaseState.CLEAN and not left
    gone = lines[-1].boottime - killed_at
    out.print(
        f"  {ports.clock.boottime() - killed_at:5.2f}s  a look of our own at the target: "
        f"{'; '.join(left) or 'nothing of the fault is left'}",
        markup=False,
    )
    out.print(
        f"  {'KEPT' if clean else 'BROKEN'}: the fault was gone {gone:.2f}s after the kill, lease "
        f"{lease.lease_seconds:.0f}s; proof: journal {lease.id} and the other path above",
        style="bold green" if clean else "bold red",
        markup=False,
    )
    return clean and _airflow_again(ports, asked.run_id)


def _airflow_again(ports: Ports, run_id: str) -> bool:
    """Bring Airflow back: the run it lost must end by itself, not green, environment unlocked."""
    lab.start(ports.settings)
    deadline = ports.clock.boottime() + 120.0
    while ports.clock.boottime() < deadline:
        run = ports.books.run(run_id)
        if run is not None and run.state == RunState.ENDED:
            told = f"  Airflow is back; the run it lost ended {run.standing}"
            out.print(told, markup=False)
            out.print(f"  {run.reason}", markup=False)
            return True
        ports.clock.sleep(0.5)
    raise HoldfastError(f"run {run_id} did not end after Airflow came back")


def _until_clean(ports: Ports, lease: Lease, since: float) -> list[Line]:
    journal = ports.journals.open(lease.id)
    deadline = since + lease.lease_seconds + 30.0
    while ports.clock.boottime() < deadline:
        lines = [x for x in journal.lines() if x.boottime >= since]
        if lines and lines[-1].state in (LeaseState.CLEAN, LeaseState.UNCLEAN):
            return lines
        ports.clock.sleep(0.05)
    raise HoldfastError(f"lease {lease.id} did not end; holdfast status, holdfast sweep")


def _wait_for(ports: Ports, run_id: str, state: LeaseState, limit: float) -> Lease:
    deadline = ports.clock.boottime() + limit
    while ports.clock.boottime() < deadline:
        for lease in ports.leases.leases(run_id=run_id):
            if lease.state == state:
                return lease
        ports.clock.sleep(0.05)
    raise HoldfastError(f"no fault of run {run_id} became {state} within {limit:.0f}s")
