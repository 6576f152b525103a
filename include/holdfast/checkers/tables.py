"""Rows that no run should touch: exactly which are missing, extra or changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from holdfast.checkers._names import Column, Table, quoted
from holdfast.errors import CheckError
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, Checker, Moment, Observed, first_of

_SHOWN = 40
_Row = tuple[str, tuple[object, ...]]


class TablesParams(Frozen):
    """Which rows are compared, by which key, in which columns."""

    table: Table
    key: tuple[Column, ...] = Field(min_length=1, description="columns that name a row")
    columns: tuple[Column, ...] = Field(
        min_length=1, description="columns that must stay as they are; all others may change"
    )
    allow: tuple[Literal["missing", "extra"], ...] = Field(
        (), description="rows that may go, or come"
    )
    show: bool = Field(False, description="keep values of up to 40 letters, not only their digests")
    most_rows: int = Field(1_000_000, ge=1, strict=True, description="more rows are not compared")


class Tables:
    """Compare keyed rows before and after, in one pass over both in the order of their keys.

    `missing`, `extra`, `changed` (with the columns) and `duplicated` name rows by their key.
    """

    needs: Literal["history", "service"] = "service"
    params: type[Frozen] = TablesParams

    def asks(self, moment: Moment, params: Any) -> Mapping[str, str]:
        """The rows in the order of their keys, as text; long or private values as digests."""
        if moment is Moment.DURING:
            return {}
        keys = [quoted(name) + "::text" for name in params.key]
        key = keys[0] if len(keys) == 1 else f"jsonb_build_array({', '.join(keys)})::text"
        cells = ", ".join(_cell(quoted(name), show=params.show) for name in params.columns)
        return {"rows": f"SELECT {key} AS k, {cells} FROM {quoted(params.table)} "
                        f'ORDER BY {key} COLLATE "C" LIMIT {params.most_rows + 1}'}

    def check(self, seen: Observed, params: Any) -> Checked:
        """Judge; memory is bounded by the rows that differ."""
        if seen.before is None:
            raise CheckError(f"the rows of {params.table} before the first fault are not known")
        anomalies: dict[str, list[str]] = {
            "missing": [], "extra": [], "changed": [], "duplicated": [],
        }
        before = _keyed(seen.before.rows["rows"], params)
        after = _keyed(seen.after.rows["rows"], params, anomalies["duplicated"])
        rows = _compare(before, after, params.columns, anomalies)
        counts = {name: len(found) for name, found in anomalies.items()} | {"rows": rows}
        bad = [name for name in anomalies if anomalies[name] and name not in params.allow]
        if bad:
            said = [f"{len(anomalies[name])} {name}: {first_of(anomalies[name])}" for name in bad]
            text = f"rows of {params.table} are not as they were: {'; '.join(said)}"
            return Checked("invalid", text, counts, anomalies)
        if not rows:
            return Checked("unknown", f"{params.table} had no rows before", counts, anomalies)
        columns = ", ".join(params.columns)
        text = f"{rows} rows of {params.table} are as they were ({columns})"
        allowed = [f"{counts[name]} {name} as allowed" for name in params.allow if counts[name]]
        return Checked("valid", "; ".join([text, *allowed]), counts, anomalies)


def _cell(column: str, *, show: bool) -> str:
    digest = f"left(encode(sha256(convert_to({column}::text, 'UTF8')), 'hex'), 32)"
    if not show:
        return digest
    return (f"CASE WHEN length({column}::text) > {_SHOWN} THEN 'sha256 ' || {digest} "
            f"ELSE {column}::text END")


def _keyed(
    rows: Iterable[Sequence[object]], params: Any, duplicated: list[str] | None = None
) -> Iterator[_Row]:
    """Rows by key, each key once; CheckError when there are too many."""
    last: str | None = None
    for number, (raw, *cells) in enumerate(rows):
        key = str(raw)
        if number >= params.most_rows:
            raise CheckError(f"{params.table} has more than {params.most_rows} rows; "
                             "raise most_rows, or check it another way")
        if key != last:
            yield key, tuple(cells)
        elif duplicated is None:
            raise CheckError(f"{', '.join(params.key)} is no key of {params.table}: "
                             f"{key} was there twice before the first fault")
        elif duplicated[-1:] != [key]:
            duplicated.append(key)
        last = key


def _compare(
    before: Iterator[_Row], after: Iterator[_Row], columns: Sequence[str],
    anomalies: Mapping[str, list[str]],
) -> int:
    """Merge two runs of rows in order; give the number of those there before."""
    rows, old, new = 0, next(before, None), next(after, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            anomalies["missing"].append(old[0] if old else "")
            rows, old = rows + 1, next(before, None)
        elif old is None or new[0] < old[0]:
            anomalies["extra"].append(new[0])
            new = next(after, None)
        else:
            if old[1] != new[1]:
                anomalies["changed"].append(f"{old[0]} ({_differences(old[1], new[1], columns)})")
            rows, old, new = rows + 1, next(before, None), next(after, None)
    return rows


def _differences(
    old: Sequence[object], new: Sequence[object], columns: Sequence[str]
) -> str:
    shown = [
        f"{name} {_value(was)} to {_value(now)}"
        for name, was, now in zip(columns, old, new, strict=True) if was != now
    ]
    return ", ".join(shown)


def _value(cell: object) -> str:
    return "nothing" if cell is None else str(cell)


CHECKER: Checker = Tables()
