"""What Airflow knows of runs: the log is held against it."""

from collections.abc import Iterator, Mapping

from holdfast.clients.airflow_rest import AirflowRest
from holdfast.clients.connections import connection
from holdfast.model.run import run_id
from holdfast.ports.bundle import Ports
from holdfast.steps.reconcile import ALL

_ARM = "arm"


def armed_in_airflow(ports: Ports) -> Mapping[str, bool]:
    """Runs that have ended in Airflow, and whether a fault of theirs was armed.

    AirflowUnreachable if it does not answer.
    """
    with AirflowRest(connection(ports.settings.connections, "airflow_default")) as airflow:
        return dict(_ended(airflow, ports))


def _ended(airflow: AirflowRest, ports: Ports) -> Iterator[tuple[str, bool]]:
    known = {run.id for run in ports.books.runs(ALL)}
    for suite in sorted(_suites(ports)):
        for run in airflow.ended(suite):
            name = run_id(suite, run.id)
            # the log has what the books have, or else that is told without asking Airflow
            yield name, name not in known and _was_armed(airflow.tasks(suite, run.id))


def _was_armed(tasks: Mapping[str, str]) -> bool:
    return any(
        state == "success" for name, state in tasks.items() if name.rpartition(".")[2] == _ARM)


def _suites(ports: Ports) -> set[str]:
    files = {path.name.removesuffix(".suite.yaml")
             for path in ports.settings.experiments.glob("*.suite.yaml")}
    return files | {run.suite for run in ports.books.runs(ALL)}
