"""Records of runs, read and put together by run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import ValidationError

from holdfast.errors import EvidenceError
from holdfast.evidence.log import place_of
from holdfast.model.record import PREDICATES, Statement
from holdfast.oscal.told import ApprovalTold, PlanTold, ReportTold, ResultTold, StartTold, Told, Way
from holdfast.oscal.words import moment

T = TypeVar("T", bound=Told)
T_co = TypeVar("T_co", bound=Told, covariant=True)


@dataclass(frozen=True, slots=True)
class Signed(Generic[T_co]):
    """What a record says, its log and number, when it was recorded, the digests that it names."""

    log: str
    index: int
    at: datetime
    kind: str
    subjects: Mapping[str, str]
    told: T_co


@dataclass(slots=True)
class Run:
    """One run by its records, each kind in the order of the log."""

    log: str
    id: str
    plans: list[Signed[PlanTold]] = field(default_factory=list)
    approvals: list[Signed[ApprovalTold]] = field(default_factory=list)
    starts: list[Signed[StartTold]] = field(default_factory=list)
    results: list[Signed[ResultTold]] = field(default_factory=list)
    reports: list[Signed[ReportTold]] = field(default_factory=list)

    @property
    def result(self) -> Signed[ResultTold] | None:
        """The latest result: it counts."""
        return self.results[-1] if self.results else None

    @property
    def ways(self) -> Sequence[Signed[Way]]:
        """Its starts, then its results."""
        return [*self.starts, *self.results]

    @property
    def way(self) -> Way | None:
        """What tells most of how it went; None for a run that was only planned."""
        return self.ways[-1].told if self.ways else None

    @property
    def records(self) -> Sequence[Signed[Told]]:
        """All of them, in the order of the log."""
        found: list[Signed[Told]] = [
            *self.plans, *self.approvals, *self.starts, *self.results, *self.reports]
        return sorted(found, key=lambda one: one.index)

    @property
    def people(self) -> set[str]:
        """Who triggered it, and who has answered."""
        named = {w.told.triggered_by for w in self.ways} | {a.told.by for a in self.approvals}
        return {name for name in named if name.strip()}


def runs_of(records: Mapping[int, Statement], log: str) -> Sequence[Run]:
    """Put records of a log together by run, in the order in which runs came into it.

    Statements of other kinds are left out. EvidenceError for one that cannot be read.
    """
    found: dict[str, Run] = {}
    for index, statement in sorted(records.items()):
        run_id = str(statement.predicate.get("run_id", ""))
        _add(found.setdefault(run_id, Run(log, run_id)), index, statement)
    return [run for run in found.values() if run.records]


def _add(run: Run, index: int, statement: Statement) -> None:
    match statement.predicate_type.removeprefix(PREDICATES):
        case "plan/v1":
            run.plans.append(_read(PlanTold, run.log, index, statement))
        case "approval/v1":
            run.approvals.append(_read(ApprovalTold, run.log, index, statement))
        case "run-start/v1":
            run.starts.append(_read(StartTold, run.log, index, statement))
        case "result/v1":
            run.results.append(_read(ResultTold, run.log, index, statement))
        case "report/v1":
            run.reports.append(_read(ReportTold, run.log, index, statement))


def _read(kind: type[T], log: str, index: int, statement: Statement) -> Signed[T]:
    place = place_of(statement)
    if place is None:
        raise EvidenceError("it has no place in the log", index=index)
    try:
        told = kind.model_validate(statement.predicate)
        at = moment(place.recorded_at)
    except (ValidationError, EvidenceError) as error:
        raise EvidenceError(f"not a record that can be read: {error}", index=index) from error
    short = statement.predicate_type.removeprefix(PREDICATES)
    return Signed(log, index, at, short, statement.subjects, told)
