"""What the records of a bundle tell, run by run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.audit.request import Request
from holdfast.evidence.log import place_of
from holdfast.evidence.roles import APPROVAL
from holdfast.evidence.story import PLAN, REPORT, RESULT, START
from holdfast.model.record import Statement

Statements = Mapping[int, Statement]


@dataclass(frozen=True, slots=True)
class RunTold:
    """One run by its signed records: numbers by kind, and what the latest result says."""

    run_id: str
    statements: Statements

    @property
    def result(self) -> Statement | None:
        """The latest result."""
        return self._latest(RESULT)

    @property
    def results(self) -> Mapping[int, Statement]:
        """The last result of each start, by record: to start a run again takes none back."""
        found, last = dict[int, Statement](), -1
        for index, statement in sorted(self.statements.items()):
            if statement.predicate_type == START:
                last = -1
            elif statement.predicate_type == RESULT:
                found.pop(last, None)
                found[index], last = statement, index
        return found

    @property
    def files(self) -> Mapping[str, str]:
        """Digests of its files by name, as signed with its latest result and report."""
        latest = [s for s in (self.result, self._latest(REPORT)) if s is not None]
        return {name: digest for s in latest for name, digest in s.subjects.items()}

    @property
    def started_at(self) -> str:
        """When its start, or else its first record, was recorded."""
        start = self._latest(START) or next(iter(self.statements.values()))
        place = place_of(start)
        return "" if place is None else place.recorded_at

    @property
    def suite(self) -> str:
        """The suite's name, by any record that has one."""
        return next((str(s.predicate["suite"]) for s in self.statements.values()
                     if "suite" in s.predicate), "")

    @property
    def verdict(self) -> str:
        """What was signed last: a verdict, `postponed`, or `none` without a result."""
        return "none" if self.result is None else verdict_of(self.result)

    @property
    def approvals(self) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """What persons have answered, by record."""
        return [(i, s.predicate) for i, s in self.statements.items()
                if s.predicate_type == APPROVAL]

    @property
    def services(self) -> frozenset[str]:
        """The services that its plans and results name."""
        told = [e for s in self.statements.values() if s.predicate_type in (PLAN, RESULT)
                for e in _list(s.predicate.get("experiments"))]
        return frozenset(str(e["service"]) for e in told if isinstance(e, Mapping)
                         and e.get("service"))

    @property
    def controls(self) -> frozenset[str]:
        """The controls that its results name, in lower case."""
        return frozenset(
            str(name).lower() for result in self.results.values()
            for told in (result.predicate, *_list(result.predicate.get("experiments")))
            if isinstance(told, Mapping) for name in _list(told.get("controls")))

    def _latest(self, kind: str) -> Statement | None:
        found = [s for _, s in sorted(self.statements.items()) if s.predicate_type == kind]
        return found[-1] if found else None


def verdict_of(result: Statement) -> str:
    """What a result says of its run: a verdict, or `postponed`."""
    told = result.predicate
    return "postponed" if told.get("is_postponed") else str(told.get("verdict"))


def runs_of(statements: Statements) -> Mapping[str, RunTold]:
    """Sort records by the run that they were signed for; the log's own have none."""
    found: dict[str, dict[int, Statement]] = {}
    for index, statement in sorted(statements.items()):
        place = place_of(statement)
        if place is not None and place.run_id:
            found.setdefault(place.run_id, {})[index] = statement
    return {run_id: RunTold(run_id, told) for run_id, told in found.items()}


def population(runs: Mapping[str, RunTold], request: Request) -> Sequence[RunTold]:
    """The runs of the period: those that have a record in it."""
    return [run for run in runs.values() if any(
        request.covers(moment) for moment in _times(run))]


def selected(runs: Sequence[RunTold], request: Request) -> Sequence[RunTold]:
    """Those of them that were asked for."""
    return [run for run in runs if _is_wanted(run, request)]


def _is_wanted(run: RunTold, request: Request) -> bool:
    frameworks = {name.partition(":")[0] for name in run.controls}
    return all((
        not request.suites or run.suite in request.suites,
        not request.services or run.services & {*request.services},
        not request.frameworks or frameworks & {f.lower() for f in request.frameworks}
        or run.result is None,
    ))


def _times(run: RunTold) -> Iterator[datetime]:
    for statement in run.statements.values():
        place = place_of(statement)
        if place is not None:
            yield place.moment


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
