"""Suites to DAGs: one for each file in experiments/, none for a file that is broken."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context

from holdfast.errors import SpecError
from holdfast.model.quantities import format_duration
from holdfast.model.suite import Experiment, Schedule, Suite
from holdfast.provider.params import form
from holdfast.provider.shape import lay_out
from holdfast.spec.letters import visible
from holdfast.spec.load import LoadedSuite, load_suite
from holdfast.spec.problems import SpecErrors

_PATTERN = ".suite.yaml"
_START = datetime(2026, 1, 1, tzinfo=UTC)


def dags_from(folder: Path) -> dict[str, DAG]:
    """Build a DAG for each sound suite; in a task's process, only the one that Airflow asks for.

    A broken suite has no DAG and spoils no other. Airflow marks every DAG of a file stale when
    that file has an import error, so the errors are raised by a file of their own, which calls
    `refuse_broken`.
    """
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        return {wanted: dag_of(_find(folder, wanted))}
    loaded, _ = read_all(_files(folder))
    return {suite.suite.metadata.name: dag_of(suite) for suite in loaded}


def refuse_broken(folder: Path) -> None:
    """Raise all errors of all suites at once, each with its file, line and column."""
    if get_parsing_context().dag_id is not None:
        return
    _, errors = read_all(_files(folder))
    if errors:
        raise SpecErrors(errors)


def read_all(files: Iterable[Path]) -> tuple[list[LoadedSuite], list[SpecError]]:
    """Load every file; of two suites with one name the second is broken."""
    loaded: dict[str, LoadedSuite] = {}
    errors: list[SpecError] = []
    for file in files:
        try:
            found = load_suite(file)
        except SpecErrors as broken:
            errors += broken.errors
            continue
        name = found.suite.metadata.name
        first = loaded.setdefault(name, found)
        if first is not found:
            errors.append(
                SpecError(
                    f"the name '{name}' is taken by {visible(first.path.name)}",
                    where=f"{visible(str(file))}:1:1",
                    hint="suites are known by metadata.name",
                )
            )
    return list(loaded.values()), errors


def dag_of(loaded: LoadedSuite) -> DAG:
    """Build the DAG of one suite."""
    suite = loaded.suite
    experiments = {e.name: _sentence(e) for step in suite.rounds for e in step.experiments}
    schedule = suite.schedule
    with DAG(
        dag_id=suite.metadata.name,
        description=suite.metadata.description or None,
        doc_md="\n".join(_doc(suite)),
        schedule=_timetable(schedule) if schedule else None,
        # with a start in the past, a suite that is seen for the first time would run at once
        start_date=None if schedule else _START,
        catchup=False,
        max_active_runs=1,
        default_args={"owner": suite.metadata.owner, "retries": 0},
        tags=["holdfast", f"environment:{suite.target.environment}"],
    ) as dag:
        lay_out(suite, str(loaded.path))
    # Last: each task that is made in a DAG with params takes a deep copy of them. Into the DAG's
    # own: a whole new form would be checked, which takes a fifth of the time of it all.
    dag.params.update(form(experiments))
    return dag


def _timetable(schedule: Schedule) -> CronTriggerTimetable:
    """Begin when it is time next; by default Airflow makes up for a time that has just passed."""
    return CronTriggerTimetable(
        schedule.cron, timezone=schedule.time_zone, run_immediately=timedelta(0)
    )


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{_PATTERN}"))


def _find(folder: Path, name: str) -> LoadedSuite:
    """Find one suite by name: in the file of that name, or else wherever it is."""
    likely = folder / f"{name}{_PATTERN}"
    errors: list[SpecError] = []
    for files in ([likely] if likely.is_file() else [], _files(folder)):
        loaded, errors = read_all(files)
        for found in loaded:
            if found.suite.metadata.name == name:
                return found
    raise SpecErrors(errors or [SpecError(f"no suite '{name}' in {folder}")])


def _doc(suite: Suite) -> Iterator[str]:
    yield suite.metadata.description or f"Suite {suite.metadata.name}"
    yield f"\nOwner: {suite.metadata.owner}. Environment: {suite.target.environment}.\n"
    for number, step in enumerate(suite.rounds, 1):
        yield f"**Round {number}**\n"
        for experiment in step.experiments:
            yield f"- **{experiment.name}**: {_sentence(experiment)}"
        yield ""
    yield "**Objectives**\n"
    for objective in suite.objectives:
        yield f"- {objective.name} {objective.objective}: `{objective.indicator}`"


def _sentence(experiment: Experiment) -> str:
    """What is done and what is claimed, as Markdown: the author's words never become markup."""
    hypothesis = " ".join(experiment.hypothesis.split())
    for mark in ("\\", "`", "*", "_", "[", "]", "<", ">", "|"):
        hypothesis = hypothesis.replace(mark, "\\" + mark)
    fault = experiment.fault
    held = f", if {experiment.if_held} held" if experiment.if_held else ""
    return (f"{hypothesis} ({fault.type} on {fault.target}, {format_duration(fault.duration)}"
            f"{held})")
