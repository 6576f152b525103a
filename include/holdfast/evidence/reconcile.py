"""Hold the log against what else knows of runs: books, journals of keepers, Airflow. Pure.

A run that was hidden leaves a trace in one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.evidence.log import place_of
from holdfast.evidence.story import RESULT, START
from holdfast.evidence.trouble import Injection, Trouble
from holdfast.model.record import Statement


@dataclass(frozen=True, slots=True)
class Known:
    """What else knows of runs, by their ids.

    `books` says whether a run goes on; `faults` are injections by the journals; `airflow` are runs
    that have ended there, with whether one of their faults was armed: None where nobody asked it.
    """

    books: Mapping[str, bool]
    faults: Mapping[str, Sequence[Injection]]
    airflow: Mapping[str, bool] | None = None

    def goes_on(self, run_id: str) -> bool:
        """Whether it may still come to an end: books of a run that died say so for ever."""
        return self.books.get(run_id, False) and run_id not in (self.airflow or {})


def reconcile(statements: Mapping[int, Statement], known: Known) -> Sequence[Trouble]:
    """Name every run or fault that one of them knows and another does not."""
    log = _by_run(statements)
    return [
        *_without_result(log, known), *_without_records(log, known),
        *_without_books(log, known), *_faults(log, known), *_airflow(log, known),
    ]


def _without_result(log: Mapping[str, Sequence[Statement]], known: Known) -> Iterator[Trouble]:
    for run_id, told in log.items():
        kinds = [s.predicate_type for s in told]
        started = max((i for i, kind in enumerate(kinds) if kind == START), default=-1)
        if started >= 0 and RESULT not in kinds[started:] and not known.goes_on(run_id):
            yield Trouble("E_NO_RESULT", run_id, "a result after its start", "none",
                          "it was begun, does not go on, and its end was not signed")


def _without_records(log: Mapping[str, Sequence[Statement]], known: Known) -> Iterator[Trouble]:
    for run_id, goes_on in known.books.items():
        if run_id not in log and not goes_on:
            yield Trouble("E_RUN_NOT_IN_LOG", run_id, "its plan in the log", "none",
                          "the books have a run that the log knows nothing of")


def _without_books(log: Mapping[str, Sequence[Statement]], known: Known) -> Iterator[Trouble]:
    for run_id in log:
        if run_id not in known.books:
            yield Trouble("E_RUN_NOT_IN_BOOKS", run_id, "its row in the books", "none",
                          "the books have lost a run that was signed")


def _faults(log: Mapping[str, Sequence[Statement]], known: Known) -> Iterator[Trouble]:
    """A fault's journal is one of the signed files of its run."""
    for run_id, faults in known.faults.items():
        told = log.get(run_id, ())
        names = {name for s in told if s.predicate_type == RESULT for name in s.subjects}
        has_start = any(s.predicate_type == START for s in told)
        is_over = not known.goes_on(run_id)
        for fault in faults:
            where = f"lease {fault.lease_id}"
            if not has_start:
                yield Trouble("E_NO_START", where, f"a start of {run_id}", "none",
                              "a fault was injected for a run that was never announced")
            elif is_over and not any(name.endswith(f"-{fault.lease_id}.jsonl") for name in names):
                yield Trouble("E_FAULT_NOT_IN_LOG", where, f"its journal in a result of {run_id}",
                              "none", "a fault was injected that no result tells of")


def _airflow(log: Mapping[str, Sequence[Statement]], known: Known) -> Iterator[Trouble]:
    for run_id, was_armed in (known.airflow or {}).items():
        if was_armed and run_id not in log:
            yield Trouble("E_RUN_NOT_IN_LOG", run_id, "its plan in the log", "none",
                          "Airflow has run it, faults and all, and the log knows nothing of it")


def _by_run(statements: Mapping[int, Statement]) -> Mapping[str, Sequence[Statement]]:
    found: dict[str, list[Statement]] = {}
    for _, statement in sorted(statements.items()):
        place = place_of(statement)
        if place is not None and place.run_id:
            found.setdefault(place.run_id, []).append(statement)
    return found


