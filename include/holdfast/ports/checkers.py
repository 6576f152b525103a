"""The promise of a consistency checker."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Protocol, runtime_checkable

from holdfast.history.columns import History
from holdfast.model.operation import Operation
from holdfast.model.quantities import Frozen

NAMED = 3
"""How many keys a sentence names; the rest are in the check's artefact."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker found: doubt is `unknown`, never `valid`.

    `counts` holds figures by name, what was looked at first of all; `anomalies` maps the name of
    each anomaly to where it was seen (a key, a sentence), in the order of the history; `worst`
    names the worst of them where one is worse than another. `details` is more to tell, fit for
    JSON: a witness, levels ruled out, latencies.
    """

    outcome: Literal["valid", "invalid", "unknown"]
    text: str
    counts: Mapping[str, int] = field(default_factory=dict)
    anomalies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    worst: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Moment(Enum):
    """When the database is asked."""

    BEFORE = "before"  # at the end of the baseline
    DURING = "during"  # after each fault: a few rows at most
    AFTER = "after"  # after all rounds


@dataclass(frozen=True, slots=True)
class Answers:
    """What the database said in one transaction: rows by the name of the question.

    Its snapshot was taken between `begun` and `ended` (CLOCK_BOOTTIME seconds); `label` says when
    that was, for people. Rows are read when they are iterated, and once.
    """

    label: str
    begun: float
    ended: float
    rows: Mapping[str, Iterable[Sequence[object]]]

    def only(self, question: str) -> Sequence[object]:
        """The one row of a question for figures."""
        (row,) = self.rows[question]
        return row


@dataclass(frozen=True, slots=True)
class Expected:
    """One thing a table must keep: what great-expectations is told to look at.

    `low` and `high` are numbers as text. `query`, if there is one, selects what must not be there,
    from `{batch}`, which stands for the table; `text` says it to people.
    """

    kind: Literal["rows", "unique", "present", "range", "sum", "reference"]
    table: str
    column: str = ""
    low: str | None = None
    high: str | None = None
    query: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Met:
    """Whether an expectation was met: `wrong` rows are not as expected; with `error` unknown."""

    expected: Expected
    is_met: bool
    wrong: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """All that a checker may look at.

    `final` are the keys read back, `allowed` how many acknowledged writes may be lost. An operation
    that was acknowledged only after the last look at the database is `info` here.
    """

    after: Answers
    history: Sequence[Operation] = ()
    final: Sequence[object] = ()
    allowed: int = 0
    before: Answers | None = None
    during: Sequence[Answers] = ()
    met: Sequence[Met] = ()


def first_of(keys: Sequence[str]) -> str:
    """Name three keys at most, for a sentence."""
    more = len(keys) - NAMED
    return ", ".join(keys[:NAMED]) + (f" and {more} more" if more > 0 else "")


@runtime_checkable
class Checker(Protocol):
    """Compare what is there in the end with what users were told, or with what was there. Pure.

    `needs` is what an item of the suite names for it: a workload's `history`, or a `service` with
    a PostgreSQL address. `params` is the shape of the item's `params`; the same value is given to
    each call. A CheckError says why nothing can be said.
    """

    needs: Literal["history", "service"]
    params: type[Frozen]

    def asks(self, moment: Moment, params: Any) -> Mapping[str, str]:
        """Name the questions to the database, each one SELECT; none is fine."""

    def check(self, seen: Observed, params: Any) -> Checked:
        """Judge."""


@runtime_checkable
class Expecting(Protocol):
    """A checker that has great-expectations look at the tables too."""

    def expects(self, before: Answers | None, params: Any) -> Sequence[Expected]:
        """Say what the tables must keep, given what they held before."""


@runtime_checkable
class HistoryChecker(Protocol):
    """Judge a history by itself: what clients sent, and what they were told. Pure.

    A file of the room exports one as CHECKER; one that is a Checker too may be both. `options` is
    the shape of what a person may say (`--option name=value`, `--model`, `--budget`); the name of a
    field is the name of the option. A CheckError says why nothing can be said: that, an empty
    history and too few observations are `unknown`. Work is bounded in steps, never in seconds.
    """

    options: type[Frozen]

    def judge(self, history: History, options: Any) -> Checked:
        """Judge."""


@dataclass(frozen=True, slots=True)
class Share:
    """Every `of`-th key of a history, from the one numbered `number` on."""

    number: int = 0
    of: int = 1

    def has(self, key: int) -> bool:
        """Whether the key of this number belongs to it."""
        return key % self.of == self.number


@dataclass(frozen=True, slots=True)
class KeyChecked:
    """What was found of one key, which is the one numbered `number` of its history."""

    number: int
    key: str
    checked: Checked


@runtime_checkable
class KeyedChecker(HistoryChecker, Protocol):
    """A checker that looks at one key at a time, so that keys may be judged in several places."""

    def each(self, history: History, options: Any, share: Share) -> Iterator[KeyChecked]:
        """Judge the keys of a share, in their order; all of a history's numbers are there once."""

    def join(self, found: Sequence[KeyChecked]) -> Checked:
        """Give the verdict of all keys, in their order: what `judge` says of the whole."""


def judges_by_itself(checker: object, query: str | None) -> bool:
    """Whether a history is all that the checker looks at; `query` is what reads it back."""
    is_able = isinstance(checker, HistoryChecker)
    return is_able and (query is None or not isinstance(checker, Checker))
