"""What Holdfast tells a Prometheus about itself: experiments, guards, leases, budget and score."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.model.allowance import BudgetSpec
from holdfast.model.ledger import Balance
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.ports.bundle import Ports
from holdfast.steps.budget import budgets_of, day_budget
from holdfast.steps.judge import judged

_EVERY_RUN = 1_000_000
_READ_SUITES_SECONDS = 10.0
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its samples are labels and a value. A counter only rises while books are kept."""

    name: str
    meaning: str
    samples: Sequence[tuple[Labels, float]]
    is_counter: bool = False


@dataclass
class Gauges:
    """Reads the stores at each call; what is known of runs that have ended is read once."""

    ports: Ports
    _ended: dict[str, "_Ended"] = field(default_factory=dict)
    _budgets: tuple[float, dict[str, BudgetSpec]] | None = None

    def families(self) -> list[Family]:
        """Every metric now; what a store that does not answer would tell is left out."""
        found: list[Family] = []
        readable: list[tuple[Labels, float]] = []
        parts: tuple[tuple[str, Callable[[], Iterator[Family]]], ...] = (
            ("books", self._of_runs), ("ledger", self._of_budget), ("live", self._of_leases),
        )
        for store, part in parts:
            try:
                found += list(part())
            except (HoldfastError, OSError):
                readable.append(((("store", store),), 0.0))
            else:
                readable.append(((("store", store),), 1.0))
        return [Family("holdfast_store_readable", "Whether a store answers.", readable), *found]

    def _of_runs(self) -> Iterator[Family]:
        runs = self.ports.books.runs(_EVERY_RUN)
        for run in runs:
            if run.state is not RunState.STARTED and run.id not in self._ended:
                self._ended[run.id] = _ended(self.ports, run)
        known = [(run, self._ended[run.id]) for run in reversed(runs) if run.id in self._ended]
        outcomes = Counter((run.suite, run.standing) for run, _ in known)
        verdicts = Counter((run.suite, v) for run, ended in known for v in ended.verdicts)
        yield Family(
            "holdfast_runs", "Runs that have ended, by outcome.",
            _by(("suite", "outcome"), outcomes), is_counter=True,
        )
        yield Family(
            "holdfast_experiments", "Experiments of runs that have ended, by verdict.",
            _by(("suite", "verdict"), verdicts), is_counter=True,
        )
        for name, meaning, kind in (
            ("holdfast_score", "Resilience score of the latest run that has one, 0 to 1.", "score"),
            ("holdfast_health", "Health before the latest run that has one, 0 to 1.", "health"),
        ):
            latest = {(r.suite, r.environment): value for r, ended in known
                      if (value := getattr(ended, kind)) is not None}
            yield Family(name, meaning, _by(("suite", "environment"), latest))

    def _of_leases(self) -> Iterator[Family]:
        leases = self.ports.leases.leases(open_only=True)
        states = Counter((x.environment, x.state.value) for x in leases)
        guards = Counter((x.environment,) for x in leases if x.counter and x.revoked is None)
        margins = {
            (x.environment, x.experiment): x.lease_seconds - (x.widest_gap or 0.0) for x in leases
        }
        there = self.ports.leases.environments()
        held = {(place.name,): float(bool(place.hold)) for place in there}
        yield Family("holdfast_leases_open", "Leases that are not clean, by state.",
                     _by(("environment", "state"), states))
        yield Family("holdfast_guards", "Leases that a guard has renewed and nobody has revoked.",
                     _by(("environment",), guards))
        yield Family("holdfast_lease_margin_seconds",
                     "What was left of an open lease at its widest gap between renewals.",
                     _by(("environment", "experiment"), margins))
        yield Family("holdfast_environment_held", "Whether new faults are refused.",
                     _by(("environment",), held))

    def _of_budget(self) -> Iterator[Family]:
        now = self.ports.clock.boottime()
        if self._budgets is None or now - self._budgets[0] > _READ_SUITES_SECONDS:
            self._budgets = now, budgets_of(self.ports)[0]
        found = day_budget(self.ports, self._budgets[1])
        told: tuple[tuple[str, str, Callable[[Balance], object]], ...] = (
            ("open", "set aside now", lambda own: own.open),
            ("spent", "spent", lambda own: own.spent),
            ("released", "given back", lambda own: own.released),
        )
        for name, meaning, value in told:
            amounts = {(c,): float(str(value(own))) for c, own in found.currencies.items()}
            yield Family(f"holdfast_budget_{name}", f"Money {meaning} today.",
                         _by(("currency",), amounts))
        limits = {(s.suite, s.budget.currency): float(s.budget.per_day) for s in found.suites}
        left = {(s.suite, s.budget.currency): float(s.left) for s in found.suites}
        yield Family("holdfast_budget_limit", "Money that all runs of a day may take.",
                     _by(("suite", "currency"), limits))
        yield Family("holdfast_budget_left", "What of it is left today.",
                     _by(("suite", "currency"), left))


@dataclass(frozen=True, slots=True)
class _Ended:
    """What is told of a run that has ended."""

    verdicts: tuple[str, ...]
    score: float | None
    health: float | None


def _ended(ports: Ports, run: Run) -> _Ended:
    verdicts: tuple[str, ...] = ()
    if run.verdict is not None:
        verdicts = tuple(v.name for name, v in judged(ports, run.id).items() if name)
    score, health = (_latest(ports, run, kind) for kind in (EntryKind.SCORE, EntryKind.HEALTH))
    return _Ended(verdicts, score, health)


def _latest(ports: Ports, run: Run, kind: EntryKind) -> float | None:
    for entry in ports.books.read(run.id, kind):
        value = entry.data.get("score")
        if isinstance(value, int | float):
            return float(value)
    return None


def _by(
    names: tuple[str, ...], values: Mapping[Any, float]
) -> list[tuple[Labels, float]]:
    return [
        (tuple(zip(names, key, strict=True)), float(value)) for key, value in sorted(values.items())
    ]

