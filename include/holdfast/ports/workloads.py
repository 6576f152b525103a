"""The promise of a workload: what clients send to a database so that a checker can judge it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol


@dataclass(frozen=True, slots=True)
class Sent:
    """One operation, one transaction: `f` and `value` as the history has them."""

    f: str
    value: Any


class Ask(Protocol):
    """Run one statement of the transaction and give back its rows."""

    def __call__(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Values stand for `%s`."""


class Workload(Protocol):
    """Operations from a seed, for one run. A file of the room exports one as WORKLOAD.

    `checker` judges its histories, told `options`. `tables` makes what it needs, in a schema that
    is empty. The same seed gives the same operations in the same order; which client sends them,
    and when, it does not say.
    """

    checker: str
    options: Mapping[str, Any]
    tables: Sequence[LiteralString]

    def next(self) -> Sent:
        """The next operation; called by one thread at a time."""

    def send(self, ask: Ask, sent: Sent) -> Any:
        """Do it, and give back the value that was answered. Refused if it must not be done."""

    def last(self) -> Sequence[Sent]:
        """What reads everything back in the end."""
