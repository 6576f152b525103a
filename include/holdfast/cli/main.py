"""The command `holdfast`."""

import time
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.approve import approver
from holdfast.cli.border import border, out, settings
from holdfast.cli.budget import purse
from holdfast.cli.check import checker_app
from holdfast.cli.conformance import conformer
from holdfast.cli.connect import connector
from holdfast.cli.controls import app as controls
from holdfast.cli.demo import demo_app
from holdfast.cli.doctor import doctor_app
from holdfast.cli.evidence import app as evidence
from holdfast.cli.files import files
from holdfast.cli.lab import lab
from holdfast.cli.live import live
from holdfast.cli.metrics import meters
from holdfast.cli.new import new_app
from holdfast.cli.report import reporter
from holdfast.cli.run import runner
from holdfast.cli.watch import watcher
from holdfast.cli.witness import app as witness
from holdfast.cli.workload import workloads
from holdfast.errors import SpecError
from holdfast.model.quantities import parse_duration

app = typer.Typer(
    name="holdfast",
    help="Resilience suites as Airflow DAGs: a fault lives only while somebody watches it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for part in (
    files, checker_app, connector, new_app, runner, watcher, approver, live, reporter, purse,
    meters, lab, demo_app, doctor_app, conformer, workloads,
):
    app.add_typer(part)
app.add_typer(evidence, name="evidence")
app.add_typer(controls, name="controls")
app.add_typer(witness, name="witness")


@app.command()
def sweep(
    every: Annotated[str, typer.Option(help="go on, this often")] = "",
) -> None:
    """Look for faults whose keeper is gone, and revert them (the janitor)."""
    from holdfast.steps.janitor import sweep as sweep_faults

    with border():
        pause = _pause(every) if every else None
        ports = wiring.ports(settings())
        while True:
            for line in sweep_faults(ports):
                out.print(line, markup=False)
            if pause is None:
                return
            time.sleep(pause)


def _pause(every: str) -> float:
    try:
        return parse_duration(every).total_seconds()
    except ValueError as error:
        raise SpecError(f"'{every}': {error}", where="--every") from error
