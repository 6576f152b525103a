"""run: trigger a suite through Airflow, watch it, end with its verdict."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, say_error, settings
from holdfast.cli.files import suite_file
from holdfast.cli.follow import Follower
from holdfast.cli.progress import Asked
from holdfast.clients.airflow_rest import AirflowRest
from holdfast.clients.connections import connection
from holdfast.errors import HoldfastError, SpecError
from holdfast.model.quantities import parse_duration
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.spec.load import LoadedSuite, load_suite
from holdfast.steps.verdict import outcome

runner = typer.Typer()
_READ_SECONDS = 40.0
_STYLE = {
    "HELD": "bold green",
    "BROKEN": "bold red",
    "UNKNOWN": "bold yellow",
    "postponed": "yellow",
}


@runner.command()
def run(
    suite: Annotated[Path, typer.Argument(help="a file in experiments/, or its suite's name")],
    only: Annotated[list[str], typer.Option(help="run only this experiment; may be repeated")] = [],
    dry_run: Annotated[bool, typer.Option(help="plan and preflight, no fault")] = False,
    timeout: Annotated[str, typer.Option(help="stop the run after this long")] = "30m",
    junit: Annotated[Path | None, typer.Option(help="write the result as JUnit XML")] = None,
    fail_on_violation: Annotated[bool, typer.Option(help="the default, spelled for CI")] = True,
) -> None:
    """Run a suite through Airflow and end with its verdict's exit code."""
    with border():
        code = run_suite(suite, only=only, dry_run=dry_run, timeout=timeout, junit=junit)
        if code and (fail_on_violation or code != 1):
            raise typer.Exit(code)


def run_suite(
    suite: Path,
    *,
    only: Sequence[str] = (),
    dry_run: bool = False,
    timeout: str = "30m",
    junit: Path | None = None,
) -> int:
    """Trigger, watch and tell; give back the exit code of the run's outcome."""
    if junit and not junit.parent.is_dir():
        raise SpecError(f"there is no folder {junit.parent}", where="--junit")
    ports = wiring.ports(settings())
    asked = _ask(load_suite(suite_file(suite, ports.settings)), only, timeout, ports)
    with AirflowRest(connection(ports.settings.connections, "airflow_default")) as airflow:
        _trigger(airflow, asked, only, ports, dry_run=dry_run)
        why = Follower(ports, airflow, asked).to_the_end()
    code = _finish(ports, asked, junit)
    if why is not None:
        say_error(str(why))
        return why.exit_code
    return code


def launch(ports: Ports, suite: Path, only: Sequence[str]) -> Asked:
    """Trigger and come back at once."""
    asked = _ask(load_suite(suite), only, "30m", ports)
    with AirflowRest(connection(ports.settings.connections, "airflow_default")) as airflow:
        _trigger(airflow, asked, only, ports, dry_run=False)
    return asked


def _trigger(
    airflow: AirflowRest, asked: Asked, only: Sequence[str], ports: Ports, *, dry_run: bool
) -> None:
    if _is_paused(airflow, asked.dag_id, ports):
        raise SpecError(f"DAG '{asked.dag_id}' is paused", hint="unpause it in the Airflow UI")
    conf = {"experiments": list(only) or _names(asked.suite), "dry_run": dry_run}
    airflow.trigger(asked.dag_id, asked.dag_run_id, conf)
    out.print(f"run {asked.run_id}", markup=False)


def _is_paused(airflow: AirflowRest, dag_id: str, ports: Ports) -> bool:
    """Airflow reads the suites every ten seconds: one that was just written has no DAG before."""
    until = ports.clock.boottime() + (_READ_SECONDS if _deployed(ports, dag_id).exists() else 0.0)
    while True:
        try:
            return airflow.is_paused(dag_id)
        except SpecError as error:
            if ports.clock.boottime() >= until:
                hint = f"it runs what is valid in {ports.settings.experiments}"
                raise SpecError(f"Airflow has no DAG '{dag_id}'", hint=hint) from error
        ports.clock.sleep(1.0)


def _deployed(ports: Ports, name: str) -> Path:
    return ports.settings.experiments / f"{name}.suite.yaml"


def _ask(loaded: LoadedSuite, only: Sequence[str], timeout: str, ports: Ports) -> Asked:
    names = _names(loaded.suite)
    for name in only:
        if name not in names:
            raise SpecError(
                f"unknown experiment '{name}'", where="--only", hint=f"known: {', '.join(names)}"
            )
    try:
        limit = parse_duration(timeout)
    except ValueError as error:
        raise SpecError(str(error), where="--timeout") from error
    if not limit:
        raise SpecError("a run takes longer than no time", where="--timeout")
    _expect_deployed(loaded, ports)
    stamp = f"{ports.clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    return Asked(loaded, stamp, limit)


def _expect_deployed(loaded: LoadedSuite, ports: Ports) -> None:
    """Refuse a file that is not the one Airflow reads, where that can be seen from here."""
    deployed = _deployed(ports, loaded.suite.metadata.name)
    if deployed.exists() and load_suite(deployed).digest != loaded.digest:
        raise SpecError(
            f"Airflow runs {deployed}, which differs", where=str(loaded.path),
            hint="put your version there",
        )


def _names(suite: Suite) -> list[str]:
    return [e.name for r in suite.rounds for e in r.experiments]


def _finish(ports: Ports, asked: Asked, junit: Path | None) -> int:
    run = ports.books.run(asked.run_id)
    if run is None:
        raise HoldfastError(
            f"run {asked.run_id} left nothing in the books; see its task log in Airflow"
        )
    files = {a.name: ports.artefacts.path(a) for a in ports.artefacts.of(run.id)}
    verdict = run.standing
    out.print(f"\n{verdict}  {run.reason}".rstrip(), style=_STYLE.get(verdict), markup=False)
    if "report.html" in files:
        out.print(f"report  {files['report.html']}", markup=False)
    if junit and "report.junit.xml" in files:
        junit.write_bytes(files["report.junit.xml"].read_bytes())
    elif junit:
        say_error(f"there is no report of a run that is {run.standing}; {junit} was not written")
    error = outcome(ports, run.id)
    return 0 if error is None else error.exit_code
