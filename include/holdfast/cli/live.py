"""stop and status: what is broken now, and how to end it."""

import getpass
from typing import Annotated

import typer
from rich.table import Table

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.errors import ResidueError, SpecError
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.bundle import Ports
from holdfast.steps.stop import release as end_hold

live = typer.Typer()


@live.command()
def stop(
    run: Annotated[str, typer.Argument(help="run id; or use --all")] = "",
    all_: Annotated[bool, typer.Option("--all", help="every fault of every run")] = False,
    hold: Annotated[
        str, typer.Option(help="refuse new faults until released, with this reason")
    ] = "",
    why: Annotated[
        str, typer.Option(help="recorded with the stop")
    ] = "stopped from the command line",
) -> None:
    """End faults now; works when Airflow or the store is down."""
    from holdfast.steps.stop import stop as stop_faults

    with border():
        if all_ == bool(run):
            raise SpecError("say which run to stop, or --all", hint="holdfast status lists them")
        ends = stop_faults(
            wiring.ports(settings()), getpass.getuser(), hold or why, run_id=run or None, hold=hold
        )
        dirty = {i: s for i, s in ends.items() if s != LeaseState.CLEAN}
        for lease_id, state in ends.items():
            out.print(f"lease {lease_id}: {state}", markup=False)
        out.print(
            "held: no new faults until `holdfast release`" if hold else "", end="\n" if hold else ""
        )
        if dirty:
            raise ResidueError(
                "not clean yet: " + ", ".join(dirty.values()), lease=", ".join(dirty)
            )
        out.print(f"{len(ends)} fault{'' if len(ends) == 1 else 's'} ended, all clean")


@live.command()
def status() -> None:
    """Show leases, keepers and margins."""
    with border():
        ports = wiring.ports(settings())
        leases = ports.leases.leases()
        shown = [x for x in leases if x.state != LeaseState.CLEAN] or list(leases)[-5:]
        if not shown:
            out.print("no fault has been armed here yet")
            return
        out.print(_table(ports, shown))
        for name in sorted({x.environment for x in leases}):
            env = ports.leases.environment(name)
            out.print(
                f"environment {name}: epoch {env.epoch}"
                f", {'held: ' + env.hold if env.hold else 'not held'}"
                f", {'run ' + env.locked_by if env.locked_by else 'free'}",
                markup=False,
            )


def _table(ports: Ports, leases: list[Lease]) -> Table:
    table = Table("lease", "experiment", "fault", "state", "keeper", "renewals", "margin", "ended")
    for lease in leases:
        margin = (
            "" if lease.widest_gap is None else f"{lease.lease_seconds - lease.widest_gap:.2f}s"
        )
        ended = f"{lease.ended or ''} {lease.revoked.text if lease.revoked else ''}".strip()
        table.add_row(
            lease.id,
            lease.experiment,
            lease.fault_type,
            lease.state,
            "alive" if ports.keepers.is_alive(lease.id) else "-",
            str(lease.counter),
            margin,
            ended,
        )
    return table


@live.command()
def release(
    environment: Annotated[str, typer.Argument(help="as the suite names it; or use --all")] = "",
    all_: Annotated[bool, typer.Option("--all", help="end every hold")] = False,
    lock: Annotated[bool, typer.Option("--lock", help="also from a run that is gone")] = False,
) -> None:
    """End a hold: new faults are allowed again."""
    with border():
        if all_ == bool(environment):
            raise SpecError("say which environment to release, or --all")
        ports = wiring.ports(settings())
        if not all_:
            _expect_something_to_release(ports, environment, lock=lock)
        end_hold(ports, environment)
        if lock:
            _unlock(ports, environment)
        out.print(f"{environment or 'every environment'}: released", markup=False)


def _expect_something_to_release(ports: Ports, environment: str, *, lock: bool) -> None:
    there = ports.leases.environment(environment)
    if not there.hold and not (lock and there.locked_by):
        kept = f"; run {there.locked_by} has it (--lock)" if there.locked_by else ""
        raise SpecError(f"environment '{environment}' is not held{kept}")


def _unlock(ports: Ports, environment: str) -> None:
    for there in ports.leases.environments():
        wanted = there.locked_by and environment in ("", there.name)
        if wanted and not ports.leases.unlock(there.name, there.locked_by):
            raise ResidueError(f"a lease in {there.name} is not clean", lease="see holdfast status")
