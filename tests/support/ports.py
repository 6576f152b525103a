"""A whole bundle of ports in memory: `memory_ports(tmp_path)`, with everything in it to look at.

Change what a test is about by naming it: `memory_ports(tmp_path, metrics=FakeMetrics({...}))`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.errors import FaultError
from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.bundle import Ports
from holdfast.ports.metrics import Sample
from holdfast.settings import Settings
from holdfast.stores.shown import SqlShown
from support.memory_books import (
    FolderArtefacts,
    MemoryBooks,
    MemoryLog,
    MemoryNotary,
    MemoryNotifier,
)
from support.memory_leases import MemoryJournals, MemoryKeepers, MemoryLeases
from support.memory_ledger import MemoryLedger
from support.memory_workloads import MemoryWorkloads

START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps; `on_sleep` may change the world meanwhile."""

    passed: float = 0.0
    booted: float = 1000.0
    on_sleep: Callable[[float], None] | None = None

    def boottime(self) -> float:
        return self.booted + self.passed

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        if self.on_sleep is not None:
            self.on_sleep(self.passed)


@dataclass
class FakeMetrics:
    """Answers from a table: a number, a text saying why there is none, or a list of them in turn.

    The last of a list stays.
    """

    table: Mapping[str, float | str | Sequence[float | str]] = field(default_factory=dict)
    otherwise: float | str = "no series"
    asked: list[str] = field(default_factory=list)
    ranges: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

    def now(self, query: str, max_age: float | None = None) -> Sample:
        self.asked.append(query)
        answer: Any = self.table.get(query, self.otherwise)
        if isinstance(answer, list | tuple):
            answer = answer[min(self.asked.count(query), len(answer)) - 1]
        at = START.timestamp()
        if isinstance(answer, int | float):
            return Sample(float(answer), at, each={"": float(answer)})
        return Sample(None, at, answer or "no series")

    def between(self, query: str, start: float, end: float,
                step: float) -> Sequence[tuple[float, float]]:
        found = self.each_between(query, start, end, step)
        return found[0] if len(found) == 1 else []

    def each_between(self, query: str, start: float, end: float,
                     step: float) -> Sequence[Sequence[tuple[float, float]]]:
        """One series by itself, or a list of them."""
        given: Any = self.ranges.get(query, ())
        every = given if given and isinstance(given[0], list) else [given] if given else []
        return [[(at, value) for at, value in one if start <= at <= end] for one in every]


@dataclass
class FakeDriver:
    """A driver whose target is a set of marks; `refuse` makes every look at the target fail."""

    effect: Effect = Effect.HELD
    params: Mapping[str, Setting] = field(default_factory=dict)
    address: str = ""
    hit: Sequence[Target] = ()
    refuse: str = ""
    marks: set[str] = field(default_factory=set)
    undo: Mapping[str, object] = field(default_factory=dict)

    def targets(self, fault: Fault) -> Sequence[Target]:
        if self.refuse:
            raise FaultError(self.refuse, target=fault.service)
        return self.hit or [Target(f"{fault.service}-1", fault.service, 1.0)]

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        if self.refuse:
            raise FaultError(self.refuse, target=fault.service)
        return Recipe(lease_id, fault.type, dict(self.undo) or {"mark": lease_id})

    def inject(self, recipe: Recipe) -> None:
        self.marks.add(recipe.lease_id)

    def revert(self, recipe: Recipe) -> None:
        self.marks.discard(recipe.lease_id)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        return [recipe.lease_id] if recipe.lease_id in self.marks else []


def memory_ports(home: Path, **changes: Any) -> Ports:
    """Everything a use case needs, in memory but for files below `home`.

    `metrics` may be a FakeMetrics (then every connection id leads to it) or a callable;
    `drivers` defaults to one `noop` that can do nothing wrong.
    """
    metrics = changes.pop("metrics", FakeMetrics())
    parts: dict[str, Any] = {
        "settings": Settings(home=home, experiments=home / "experiments"),
        "clock": FakeClock(),
        "leases": MemoryLeases(),
        "journals": MemoryJournals(),
        "keepers": MemoryKeepers(),
        "workloads": MemoryWorkloads(home / "workloads"),
        "books": MemoryBooks(),
        "ledger": MemoryLedger(),
        "artefacts": FolderArtefacts(home / "artefacts"),
        "notary": MemoryNotary(),
        "log": MemoryLog(),
        "shown": SqlShown(home / "books.db"),
        "notifier": MemoryNotifier(),
        "drivers": {"noop": FakeDriver()},
        "metrics": metrics if callable(metrics) else lambda _: metrics,
        "selftest": list,
        "witness": lambda _url, _body: (0, "no witness here"),
        "probe": lambda asked: Sample(None, START.timestamp(), f"nobody answers {asked}"),
    }
    return Ports(**(parts | changes))
