"""What a suite's author writes about tables, and what is asked of the database for it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from holdfast.checkers._names import Column, Table, quoted
from holdfast.errors import CheckError
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Answers, Expected

EXAMPLES = 20
"""How many wrong values are asked for."""


def _limit(value: object) -> object:
    """Read a number, or the word `before`."""
    if value == "before" or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number, or the word before")
    return Decimal(str(value))


Limit = Annotated[
    Decimal | Literal["before"],
    BeforeValidator(_limit, json_schema_input_type=float | Literal["before"]),
]
_BOUNDED = ("rows", "sum", "range")


class Expectation(Frozen):
    """One thing that a table must keep; a limit `before` is what was there before the faults."""

    expect: Literal["rows", "unique", "present", "range", "sum", "reference"]
    table: Table
    column: Column | None = None
    to: tuple[Table, Column] | None = Field(
        None, description="table and column a reference leads to"
    )
    at_least: Limit | None = None
    at_most: Limit | None = None
    equal: Limit | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Each kind has what it needs, and nothing that it would not look at."""
        if (self.column is None) != (self.expect == "rows"):
            raise ValueError(f"'{self.expect}' is about {'all rows' if self.column else 'a column'}"
                             f": {'leave column out' if self.column else 'name the column'}")
        if (self.to is not None) != (self.expect == "reference"):
            raise ValueError("'to' goes with 'reference', as [table, column]")
        limits = [v for v in (self.at_least, self.at_most, self.equal) if v is not None]
        if bool(limits) != (self.expect in _BOUNDED):
            raise ValueError(f"{', '.join(_BOUNDED)} need at_least, at_most or equal; "
                             "the others have no limit")
        if self.equal is not None and len(limits) > 1:
            raise ValueError("equal stands alone")
        if self.expect == "range" and "before" in limits:
            raise ValueError("a range has limits of its own, not those from before")
        return self

    @property
    def name(self) -> str:
        """What it is about, as people say it."""
        return f"{self.expect} {self.table}" + (f".{self.column}" if self.column else "")

    @property
    def place(self) -> str:
        """The table, or its column."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def figure(self) -> str:
        """The SELECT of the figure it bounds; empty where it bounds none."""
        what = {"rows": "count(*)", "sum": _total(self.column)}.get(self.expect)
        return f"SELECT ({what})::text FROM {quoted(self.table)}" if what else ""

    @property
    def wrong(self) -> str:
        """The SELECT of some values that are not as expected; empty for figures."""
        column, low, high = quoted(self.column or ""), *self._limits
        where = {
            "unique": f"{column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1",
            "present": f"{column} IS NULL",
            "range": _outside(column, low, high), "reference": self._leads_nowhere,
        }.get(self.expect)
        return (
            f"SELECT {column}::text FROM {quoted(self.table)} AS here WHERE {where} "
            f"LIMIT {EXAMPLES}" if where else ""
        )

    @property
    def needs_before(self) -> bool:
        """Whether a limit is what was there before."""
        return "before" in self._limits

    def expected(self, before: Answers | None) -> Expected:
        """Fill in what was there before."""
        low, high = (self._bound(limit, before) for limit in self._limits)
        query, text, column = "", "", self.column or ""
        if self.expect == "sum":  # their own expectation compares floats: it would miss a cent
            total = _total(self.column)
            query = f"SELECT {total} AS total FROM {{batch}} HAVING {_outside(total, low, high)}"
            text = f"the sum of {column} is {between(low, high)}"
        elif self.expect == "reference" and self.to is not None:
            query = (f"SELECT here.{quoted(column)} FROM (SELECT * FROM {{batch}}) AS here "
                     f"WHERE {self._leads_nowhere}")
            text = f"each {column} leads to a row of {self.to[0]}, by its {self.to[1]}"
        return Expected(self.expect, self.table, column, low, high, query, text)

    @property
    def _limits(self) -> tuple[Any, Any]:
        return (self.at_least, self.at_most) if self.equal is None else (self.equal, self.equal)

    @property
    def _leads_nowhere(self) -> str:
        if self.to is None:
            return ""
        column, (table, key) = quoted(self.column or ""), map(quoted, self.to)
        return (f"here.{column} IS NOT NULL AND NOT EXISTS "
                f"(SELECT FROM {table} AS there WHERE there.{key} = here.{column})")

    def _bound(self, limit: Any, before: Answers | None) -> str | None:
        if limit != "before":
            return None if limit is None else str(limit)
        if before is None or self.name not in before.rows:
            raise CheckError(f"{self.name} before the first fault is not known")
        return str(before.only(self.name)[0])


def between(low: object, high: object) -> str:
    """Say both limits, as far as there are any."""
    if low == high:
        return f"{low}"
    sides = (("at least", low), ("at most", high))
    return " and ".join(f"{word} {limit}" for word, limit in sides if limit is not None)


def _total(column: str | None) -> str:
    return f"coalesce(sum({quoted(column or '')}), 0)"


def _outside(what: str, low: object, high: object) -> str:
    sides = (("<", low), (">", high))
    return " OR ".join(f"{what} {sign} {limit}" for sign, limit in sides if limit is not None)


class ExpectationsParams(Frozen):
    """What the tables must keep."""

    tables: tuple[Expectation, ...] = Field(min_length=1)

    def figures(self, *, of_before: bool) -> Mapping[str, str]:
        """The SELECTs of figures, by what they are about."""
        return {
            e.name: e.figure for e in self.tables if e.figure and (e.needs_before or not of_before)
        }
