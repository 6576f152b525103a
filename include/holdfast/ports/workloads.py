"""The promise of a workload: what clients send to a database so that a checker can judge it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, Protocol

from holdfast.model.workload import WorkloadSpec


@dataclass(frozen=True, slots=True)
class Sent:
    """One operation, one transaction: `f` and `value` as the history has them."""

    f: str
    value: Any


class Unanswered(Exception):
    """Nobody knows whether it happened."""


class Ask(Protocol):
    """Run one statement of the transaction and give back its rows."""

    def __call__(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Values stand for `%s`."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a workload ended: operations by outcome, and how many of its last reads went unanswered.

    `is_told` says that it was stopped, and did not end by itself; `error` why it could not go on.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    last: int = 0
    unread: int = 0
    is_told: bool = False
    error: str = ""


class Workload(Protocol):
    """Operations from a seed, for one run. A file of the room exports one as WORKLOAD.

    `stores` are the types of connection it is for. `checker` judges its histories, told `options`;
    those in `also` can too. `tables` makes what it needs, in a schema that is empty. The same seed
    gives the same operations in the same order; which client sends them, and when, it does not say.
    """

    stores: Sequence[str]
    checker: str
    also: Sequence[str]
    options: Mapping[str, Any]
    tables: Sequence[LiteralString]

    def next(self) -> Sent:
        """The next operation; called by one thread at a time."""

    def send(self, ask: Ask, sent: Sent) -> Any:
        """Do it, and give back the value that was answered. Refused if it must not be done."""

    def last(self) -> Sequence[Sent]:
        """What reads everything back in the end."""


class Workloads(Protocol):
    """The workloads of runs, each a process of its own that outlives the task that began it."""

    def start(self, run_id: str, spec: WorkloadSpec, seconds: float) -> None:
        """Begin anew, for so long at most; FaultError says why it did not begin."""

    def stop(self, run_id: str | None) -> None:
        """Have every workload of the run read all back and end; kill what does not, in time.

        Without a run those of all runs that were begun here.
        """

    def history(self, run_id: str, name: str) -> Path:
        """Where its history is, or would be."""

    def ended(self, run_id: str, name: str) -> Ended | None:
        """How it ended; None if it goes on, or died."""
