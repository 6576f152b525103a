"""Where Holdfast's errors become Airflow's words."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
)

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
    """Postpone the run when a step says so: it ends without a fault, and that is no failure.

    If the suite lets it try again, the task gives its worker up until then.
    """
    from holdfast.steps.steady import RoundLeftOut

    try:
        yield
    except RoundLeftOut as left_out:
        raise AirflowSkipException(left_out.reason) from left_out
    except Postponed as postponed:
        from holdfast.steps.postpone import postpone, wait

        again = wait(ports, run_id, postponed)
        if again is not None:
            raise AirflowRescheduleException(again) from postponed
        postpone(ports, run_id, postponed.reason)
        raise AirflowSkipException(f"postponed: {postponed.reason}") from postponed


@contextmanager
def before_the_verdict_watches(ports: Ports, run_id: str, task: str) -> Iterator[None]:
    """Close the run when a task fails that stands before `reserve`: no verdict task will run."""
    try:
        yield
    except (AirflowSkipException, AirflowRescheduleException, Postponed):
        raise
    except Exception as error:  # the border: whatever it was, the books must not stay open
        if ports.books.run(run_id) is not None:
            from holdfast.steps.book import write_finding
            from holdfast.steps.verdict import close

            write_finding(ports, run_id, Finding(task, Verdict.UNKNOWN, f"{task} failed: {error}"))
            with suppress(HoldfastError):  # it raises the verdict; the first error says more
                close(ports, run_id)
        raise


def is_going_on(ports: Ports, run_id: str, *, ended: bool = False) -> bool:
    """Whether the run was begun and not postponed, and has not ended (unless `ended`)."""
    run = ports.books.run(run_id)
    return run is not None and (
        run.state is RunState.STARTED or (ended and run.state is RunState.ENDED)
    )


def going_on(ports: Ports, run_id: str, *, ended: bool = False) -> None:
    """Skip a task of a run that was postponed, has ended (unless `ended`) or never began."""
    if not is_going_on(ports, run_id, ended=ended):
        run = ports.books.run(run_id)
        why = f"the run is {run.state}: {run.reason}" if run else "the run never began"
        raise AirflowSkipException(why)


def is_judged(ports: Ports, run_id: str) -> bool:
    """Whether the run has its verdict: tasks cleared after that must not change what it says."""
    run = ports.books.run(run_id)
    return run is not None and run.verdict is not None


def fresh(ports: Ports, run_id: str) -> None:
    """Refuse to begin a run again that has its verdict: old findings would count as new ones."""
    if is_judged(ports, run_id):
        raise SpecError(f"run '{run_id}' has ended with a verdict", hint="trigger a new run")


def note_failed_tasks(
    ports: Ports, run_id: str, states: Mapping[str, str], *, last: str = "consistency"
) -> None:
    """Write down which tasks failed in Airflow without a finding that says why.

    Whatever the stores say, nobody saw these through. Unless `last` is "recovery", a consistency
    task that did not succeed counts as well.
    """
    from holdfast.steps.book import findings, write_finding

    explained = {f.experiment for f in findings(ports, run_id) if f.verdict is not Verdict.HELD}
    failed = [
        task for task, state in states.items()
        if "." in task and state == "failed" and not _is_explained(task, explained)
    ]
    if last == "consistency" and states.get("consistency") != "success" and "" not in explained:
        failed.append("consistency")
    if failed:
        text = f"Did not succeed in Airflow: {', '.join(sorted(failed))}."
        write_finding(ports, run_id, Finding("tasks", Verdict.UNKNOWN, text))


def _is_explained(task: str, experiments: Collection[str]) -> bool:
    _, *middle, step = task.split(".")
    return step != "revert" and any(part in experiments for part in middle)


def end_dry_run(ports: Ports, run_id: str) -> None:
    """Close the book of a run that was to have no faults: nothing tested, nothing wrong."""
    run = ports.books.run(run_id)
    if run is not None:
        ended_at = ports.clock.now().isoformat()
        ports.books.close_run(
            replace(run, state=RunState.ENDED, reason="dry run", ended_at=ended_at)
        )
