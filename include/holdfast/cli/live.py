"""stop and status: what is broken now, and how to end it."""

import getpass
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.errors import HoldfastError, ResidueError, SpecError
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.bundle import Ports
from holdfast.steps.finish import is_kept_here
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
        ports = wiring.ports(settings())
        _expect_run(ports, run)
        ends = stop_faults(ports, getpass.getuser(), hold or why, run_id=run or None, hold=hold)
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


def _expect_run(ports: Ports, run: str) -> None:
    """Refuse a name that is no run; when the books do not answer, any name will do."""
    if not run:
        return  # a stop of all asks nobody
    try:
        runs = [r.id for r in ports.books.runs(5)]
        known = ports.books.run(run) is not None
    except (HoldfastError, OSError):
        return
    if not known:
        raise SpecError(f"there is no run '{run}'", hint=f"the latest: {', '.join(runs) or 'none'}")


@live.command()
def status() -> None:
    """Show leases, keepers and margins."""
    with border():
        ports = wiring.ports(settings())
        leases = ports.leases.leases()
        shown = [x for x in leases if x.state != LeaseState.CLEAN] or list(leases)[-5:]
        if not shown:
            out.print("no fault has been armed here yet")
        for lease in shown:
            keeper = "alive" if ports.keepers.is_alive(lease.id) else "gone"
            if not is_kept_here(ports, lease):
                keeper = f"on {lease.host_name}"
            out.print(_told(lease, keeper), markup=False)
        for there in ports.leases.environments():
            held = f"held: {there.hold}" if there.hold else "not held"
            taken = f"run {there.locked_by} has it" if there.locked_by else "free"
            text = f"environment {there.name}: epoch {there.epoch}, {held}, {taken}"
            out.print(text, markup=False)


def _told(lease: Lease, keeper: str) -> str:
    """One lease in two lines; nothing is cut, so that names can be copied."""
    parts = [f"keeper {keeper}", f"{lease.counter} renewals"]
    if lease.widest_gap is not None:
        parts.append(f"margin {lease.lease_seconds - lease.widest_gap:.2f}s")
    if lease.ended:
        parts.append(f"ended by {lease.ended}")
    if lease.revoked:
        parts.append(f"revoked: {lease.revoked.text}")
    head = f"{lease.state:9}  {lease.run_id}  {lease.experiment}  {lease.fault_type}"
    return f"{head}  lease {lease.id}\n           {', '.join(parts)}"


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
