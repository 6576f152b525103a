"""approve and withdraw: a person's word on a run, given through Airflow or taken back without."""

import getpass
import sys
import time
from dataclasses import replace
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.clients.airflow_rest import AirflowRest, Waiting
from holdfast.clients.connections import connection
from holdfast.errors import HoldfastError, ResidueError, SpecError
from holdfast.model.lease import LeaseState
from holdfast.model.run import EntryKind, run_id
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import UNCOUNTED, pending_request, signed_answer
from holdfast.steps.book import run_of

approver = typer.Typer()
_ANSWERED_SECONDS = 60.0
_PAUSE = 0.5


@approver.command()
def approve(
    run: Annotated[str, typer.Argument(help="run id; holdfast run prints it")],
    as_: Annotated[str, typer.Option("--as", metavar="NAME", help="your login at Airflow")],
    refuse: Annotated[bool, typer.Option("--refuse", help="say no")] = False,
    naming: Annotated[
        str, typer.Option(help="the experiments that cannot be undone, by name")
    ] = "",
    why: Annotated[str, typer.Option(help="kept with the answer")] = "",
) -> None:
    """Answer the request of a run as a named person, through Airflow; asks for the password."""
    with border():
        ports = wiring.ports(settings())
        run_of(ports, run)  # or the answer could not be seen to count
        is_seen = sys.stdin.isatty()  # what is piped in is not shown anyway
        password = typer.prompt(f"Airflow password of {as_}", hide_input=is_seen, err=True)
        where = connection(ports.settings.connections, "airflow_default")
        with AirflowRest(replace(where, login=as_, password=password)) as airflow:
            waiting = request_of(airflow, run)
            if waiting is None:
                raise SpecError(f"run '{run}' waits for no approval", hint="holdfast evidence list")
            out.print(f"{waiting.subject}\n\n{waiting.body}\n", markup=False)
            if not refuse:
                typer.confirm("Approve this plan?", abort=True, err=True)
            said = {"naming": naming} if "naming" in waiting.fields else {}
            airflow.answer(waiting, "Reject" if refuse else "Approve", {"why": why, **said})
        out.print(_outcome(ports, run), markup=False)


def request_of(airflow: AirflowRest, run: str) -> Waiting | None:
    """The request of a run, by its id in the books."""
    suite = run.partition("--")[0]
    found = (w for w in airflow.waiting(suite) if run_id(suite, w.dag_run_id) == run)
    return next(found, None)


def _outcome(ports: Ports, run: str) -> str:
    """What became of the answer: Airflow takes it, and the run decides whether it counts."""
    until = time.monotonic() + _ANSWERED_SECONDS
    while time.monotonic() < until:
        told = signed_answer(ports, run)
        if told is not None and pending_request(ports, run) is None:
            return f"signed as record {told.index}: {told}"
        time.sleep(_PAUSE)
    entries = ports.books.read(run, EntryKind.APPROVAL)
    void = [entry.data["why"] for entry in entries if entry.name == UNCOUNTED]
    why = f"it does not count: {void[-1]}" if void else "the run has not taken it yet"
    raise HoldfastError(f"Airflow has the answer, but {why}")


@approver.command()
def withdraw(
    run: Annotated[str, typer.Argument(help="run id; holdfast status lists them")],
    why: Annotated[str, typer.Option(help="recorded and signed")],
    by: Annotated[str, typer.Option(metavar="NAME", help="who takes it back")] = "",
) -> None:
    """Take a run's approval back: its faults end now, and nothing more of it begins."""
    from holdfast.steps.withdraw import withdraw as take_back

    with border():
        user = getpass.getuser()
        who = f"{by} (as {user})" if by and by != user else user
        ends = take_back(wiring.ports(settings()), run, who, why)
        for lease_id, state in ends.items():
            out.print(f"lease {lease_id}: {state}", markup=False)
        dirty = [i for i, state in ends.items() if state is not LeaseState.CLEAN]
        if dirty:
            raise ResidueError("not clean yet", lease=", ".join(dirty))
        count = len(ends)
        out.print(f"withdrawn; {count} fault{'' if count == 1 else 's'} ended, all clean")
