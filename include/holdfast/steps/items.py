"""The consistency items of a suite, each with its checker and the database it asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from holdfast.clients.expectations import Judged, judge
from holdfast.clients.postgres import Cluster, Node, cluster
from holdfast.clients.rows import Look, look
from holdfast.errors import FaultError, SpecError, TransientFaultError
from holdfast.model.suite import Consistency, History, Suite
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import Checker, Expected, judges_by_itself
from holdfast.registry import Registry

T = TypeVar("T")
_POLL_SECONDS, _PRIMARY_SECONDS = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class Item:
    """One consistency check: `name` is that of its finding, `key` that of what it keeps."""

    name: str
    key: str
    place: str
    checker: Checker
    params: Any
    history: History | None
    postgres: str


class Looking(Protocol):
    """Open one snapshot of a database and use it."""

    def __call__(self, ports: Ports, connection_id: str, use: Callable[[Look], T]) -> T:
        """Give what `use` gives."""


def place_of(spec: Consistency) -> str:
    """The history or the service it is about."""
    return str(spec.history or spec.service)


def keys(suite: Suite) -> list[str]:
    """Checker and place of each item; one more of the same has a number behind it."""
    found: list[str] = []
    bases = [f"{spec.checker}-{place_of(spec)}" for spec in suite.consistency]
    for number, base in enumerate(bases):
        nth = bases[:number].count(base) + 1
        found.append(base if nth == 1 else f"{base}-{nth}")
    return found


def finding_name(suite: Suite, number: int) -> str:
    """What the finding of an item is called: its checker, and more where there are several."""
    alone = len(suite.consistency) == 1
    return suite.consistency[number].checker if alone else keys(suite)[number]


def is_by_itself(suite: Suite, number: int) -> bool:
    """Whether the item's history is all that its checker looks at."""
    spec = suite.consistency[number]
    checker: object = Registry[object]("checkers", "CHECKER")[spec.checker]
    is_there = suite.target.is_there(spec.history)
    return is_there and judges_by_itself(checker, suite.target.query(spec.history))


def item(suite: Suite, number: int) -> Item:
    """Resolve an item that asks a database; SpecError says what of it is not there."""
    spec = suite.consistency[number]
    checker = Registry[Checker]("checkers", "CHECKER")[spec.checker]
    history = suite.target.histories.get(spec.history or "")
    service = suite.target.services.get(spec.service or "")
    postgres = history.postgres if history else service and service.postgres
    if not postgres or (history is None) == (checker.needs == "history"):
        where = f"{suite.metadata.name}: consistency.{number}"
        raise SpecError(f"there is no {checker.needs} '{place_of(spec)}' to look at", where=where)
    try:
        params = checker.params.model_validate(spec.params)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SpecError(told, where=f"{suite.metadata.name}: consistency.{number}.params") \
            from error
    return Item(finding_name(suite, number), keys(suite)[number], place_of(spec), checker, params,
                history, postgres)


def looked(ports: Ports, connection_id: str, use: Callable[[Look], T]) -> T:
    """Look at the one primary, waiting for there to be one; nothing can be written."""
    nodes = cluster(str(ports.settings.home), connection_id)
    until = ports.clock.boottime() + _PRIMARY_SECONDS
    while True:
        try:
            with look(nodes, primary(nodes), ports.clock.boottime) as snapshot:
                return use(snapshot)
        except TransientFaultError:
            if ports.clock.boottime() >= until:
                raise
        ports.clock.sleep(_POLL_SECONDS)


def primary(nodes: Cluster) -> Node:
    """The one primary; to lack one is a matter of time, unlike a query that is refused."""
    try:
        return nodes.primary()
    except FaultError as error:
        raise TransientFaultError(str(error)) from error


def judged(ports: Ports, connection_id: str, expected: Sequence[Expected]) -> Judged:
    """Have great-expectations look at the primary."""
    nodes = cluster(str(ports.settings.home), connection_id)
    return judge(nodes, primary(nodes), expected)


@dataclass(frozen=True, slots=True)
class Access:
    """How the target's databases are looked at."""

    looking: Looking = looked
    judging: Callable[[Ports, str, Sequence[Expected]], Judged] = judged
