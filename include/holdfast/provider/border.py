"""Where Holdfast's errors become Airflow's words."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from holdfast.errors import HoldfastError, Postponed, ResidueError, SpecError, TransientFaultError
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports

_RETRIED = (TransientFaultError, ResidueError)


@contextmanager
def airflow_words() -> Iterator[None]:
    """Fail for good what a retry cannot mend; let Airflow retry the rest as the task allows."""
    try:
        yield
    except _RETRIED:
        raise
    except HoldfastError as error:
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


@contextmanager
def before_the_first_fault(ports: Ports, run_id: str) -> Iterator[None]:
    """Postpone the run when a step says so: it ends without a fault, and that is no failure."""
    from holdfast.steps.steady import RoundLeftOut

    try:
        yield
    except RoundLeftOut as left_out:
        raise AirflowSkipException(left_out.reason) from left_out
    except Postponed as postponed:
        from holdfast.steps.postpone import postpone

        postpone(ports, run_id, postponed.reason)
        raise AirflowSkipException(f"postponed: {postponed.reason}") from postponed


@contextmanager
def before_the_verdict_watches(ports: Ports, run_id: str, task: str) -> Iterator[None]:
    """Close the run when a task fails that stands before `reserve`: no verdict task will run."""
    try:
        yield
    except (AirflowSkipException, Postponed):
        raise
    except Exception as error:  # the border: whatever it was, the books must not stay open
        if ports.books.run(run_id) is not None:
            from holdfast.steps.book import write_finding
            from holdfast.steps.verdict import close

            write_finding(ports, run_id, Finding(task, Verdict.UNKNOWN, f"{task} failed: {error}"))
            with suppress(HoldfastError):  # it raises the verdict; the first error says more
                close(ports, run_id)
        raise


def going_on(ports: Ports, run_id: str, *, ended: bool = False) -> None:
    """Skip what belongs to a run that was postponed, has ended (unless `ended`) or never began."""
    run = ports.books.run(run_id)
    if run is None:
        raise AirflowSkipException(f"run {run_id} is not in the books")
    if run.state is RunState.POSTPONED or (run.state is RunState.ENDED and not ended):
        raise AirflowSkipException(f"the run is {run.state}: {run.reason}")


def fresh(ports: Ports, run_id: str) -> None:
    """Refuse to begin a run that is over: its book is closed, a new run gets a new one."""
    run = ports.books.run(run_id)
    if run is not None and run.state is not RunState.STARTED:
        raise SpecError(f"run '{run_id}' is {run.state}", hint="trigger a new run")


def end_dry_run(ports: Ports, run_id: str) -> None:
    """Close the book of a run that was to have no faults: nothing tested, nothing wrong."""
    run = ports.books.run(run_id)
    if run is not None:
        ended_at = ports.clock.now().isoformat()
        ports.books.close_run(
            replace(run, state=RunState.ENDED, reason="dry run", ended_at=ended_at)
        )
