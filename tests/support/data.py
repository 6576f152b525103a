"""A target's database out of a table: what each SELECT gives, for tests of the data steps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.clients.expectations import Judged
from holdfast.clients.rows import Look
from holdfast.ports.checkers import Expected, Met
from holdfast.steps.items import Access


@dataclass
class FakeDatabase:
    """Rows by the beginning of a query; an exception among them is raised."""

    table: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    def looking(self, ports: Any, connection_id: str, use: Callable[[Look], Any]) -> Any:
        now = ports.clock.boottime()
        return use(Look(now, now, self.rows))

    def rows(self, query: str) -> Iterator[Any]:
        """Read lazily, as a real look does."""
        self.asked.append(query)
        found = next(rows for start, rows in self.table.items() if query.startswith(start))
        if isinstance(found, Exception):
            raise found
        yield from found

    def access(self, *missed: str) -> Access:
        """Access to it; expectations of these kinds are not met."""
        def judging(ports: Any, connection_id: str, expected: Iterable[Expected]) -> Judged:
            met = [Met(e, is_met=e.kind not in missed, wrong=1) for e in expected]
            return Judged(met, {"orders": b"<html></html>"})

        return Access(self.looking, judging)
