"""What a bundle says of controls and runs: made by the exporter, made again by whoever checks."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from holdfast.audit.request import Request
from holdfast.audit.runs import RunTold, Statements, population, runs_of, selected
from holdfast.controls.coverage import coverage, gaps
from holdfast.controls.results import by_service
from holdfast.errors import EvidenceError
from holdfast.model.control import Control, Excluded, Result, Standing

MOST = 20_000
"""So many controls by services a report tells of at most: all there are, at 100 services."""
NO_RESULT = (KeyError, ValueError, TypeError, AttributeError, EvidenceError)
"""What a signed result that Holdfast has not made may end in."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report is made from beside the records: the same basis makes the same report."""

    request: Request
    origin: str
    size: int
    at: datetime
    controls: Mapping[str, Control]
    excluded: Excluded


@dataclass(frozen=True, slots=True)
class Told:
    """The content of a report."""

    basis: Basis
    population: Sequence[RunTold]
    runs: Sequence[RunTold]
    standings: Sequence[Standing]

    @property
    def gaps(self) -> Sequence[Standing]:
        """What somebody must look after."""
        return gaps(self.standings)


def tell(statements: Statements, basis: Basis) -> Told:
    """Say how controls stand by the runs that were asked for."""
    everyone = population(runs_of(statements), basis.request)
    runs = selected(everyone, basis.request)
    return Told(basis, everyone, runs, standings(runs, basis))


def standings(runs: Sequence[RunTold], basis: Basis) -> Sequence[Standing]:
    """How each control of the frameworks stands, service by service, at the basis's time.

    NO_RESULT for a result that is none.
    """
    request = basis.request
    wanted = {f.lower() for f in request.frameworks}
    own = [c for c in basis.controls.values() if not wanted or c.framework.lower() in wanted]
    results = list[Result]()
    for run in runs:
        for index, statement in run.results.items():
            results += by_service(index, run.run_id, statement.predicate)
    mine = [r for r in results if not request.services or r.service in request.services]
    _expect_few(mine, frozenset(control.name for control in own))
    return coverage(own, mine, basis.at, request.days, basis.excluded)


def _expect_few(results: Sequence[Result], known: Set[str]) -> None:
    """A few records can name so many services and controls that nobody could write the report."""
    pairs = set[tuple[str, str]]()
    for result in results:
        pairs.update((result.service, name) for name in result.controls & known)
        if len(pairs) > MOST:
            raise EvidenceError(f"more than {MOST} controls by services; choose a framework, "
                                "services or suites")


def tables(told: Told) -> Mapping[str, bytes]:
    """The report's tables, by file name."""
    return {
        "controls.csv": _csv(_STANDING, map(_standing, told.standings)),
        "gaps.csv": _csv(_STANDING, map(_standing, told.gaps)),
        "evidence.csv": _csv(_RUN, map(_run, told.runs)),
    }


_STANDING = ("framework", "control", "title", "service", "state", "due", "reason", "records")
_RUN = ("run", "suite", "environment", "started_at", "triggered_by", "verdict", "approved_by",
        "services", "controls", "plan_digest", "records")


def _standing(s: Standing) -> Sequence[str]:
    return (s.control.framework, s.control.name, s.control.title, s.service, s.state.value,
            "" if s.due is None else s.due.isoformat(), s.reason, _numbers(s.records))


def _run(run: RunTold) -> Sequence[str]:
    told = {} if run.result is None else run.result.predicate
    said = [f"{told.get('answer')}: {told.get('by') or 'nobody'}" for _, told in run.approvals]
    return (
        run.run_id, run.suite, str(told.get("environment", "")), run.started_at,
        str(told.get("triggered_by", "")), run.verdict, "; ".join(said),
        " ".join(sorted(run.services)), " ".join(sorted(run.controls)),
        str(told.get("plan_digest", "")), _numbers(run.statements),
    )


def _numbers(records: Iterable[int]) -> str:
    return " ".join(map(str, records))


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _plain(value: str) -> str:
    """No spreadsheet shall take a name for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
