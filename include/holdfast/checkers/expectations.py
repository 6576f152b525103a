"""Tables are as expected before and after: great-expectations judges, our own SQL names the rows.

The figures from before are read by plain SQL and become bounds of what is expected afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from holdfast.checkers._expected import EXAMPLES, Expectation, ExpectationsParams, between
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import (
    Answers,
    Checked,
    Checker,
    Expected,
    Met,
    Moment,
    Observed,
    first_of,
)

_SAID = {
    "rows": "{place} has {found} rows, {limits} expected",
    "sum": "{place} adds up to {found}, {limits} expected",
    "unique": "{place} is not unique: {found}", "present": "{place} is empty in {wrong} rows",
    "range": "{place} must be {limits}: {found}",
    "reference": "{place} leads to no {to}: {found}",
}


class Expectations:
    """Judge what great-expectations found.

    An anomaly is named by its kind, its keys are `table.column: value` of the rows that are wrong,
    twenty of each at most.
    """

    needs: Literal["history", "service"] = "service"
    params: type[Frozen] = ExpectationsParams

    def asks(self, moment: Moment, params: Any) -> Mapping[str, str]:
        """Figures that bound what is expected; afterwards the rows that are wrong as well."""
        if moment is Moment.DURING:
            return {}
        figures = dict(params.figures(of_before=moment is Moment.BEFORE))
        if moment is Moment.AFTER:
            figures |= {e.name: e.wrong for e in params.tables if e.wrong}
        return figures

    def expects(self, before: Answers | None, params: Any) -> Sequence[Expected]:
        """Every expectation with its bounds as numbers."""
        return [e.expected(before) for e in params.tables]

    def check(self, seen: Observed, params: Any) -> Checked:
        """Judge; an expectation that could not be looked at leaves doubt."""
        failed = [
            (e, met) for e, met in zip(params.tables, seen.met, strict=True)
            if not met.is_met and not met.error
        ]
        errors = [f"{e.name}: {met.error}" for e, met in zip(params.tables, seen.met, strict=True)
                  if met.error]
        anomalies: dict[str, list[str]] = {}
        said = []
        for expectation, met in failed:
            values = [str(row[0]) for row in seen.after.rows[expectation.name]]
            said.append(_said(expectation, met, values))
            keys = [f"{expectation.place}: {value}" for value in values]
            anomalies.setdefault(expectation.expect, []).extend(keys)
        counts = {"expectations": len(seen.met), "failed": len(failed), "errors": len(errors)}
        if failed:
            return Checked("invalid", "; ".join([*said, *errors]), counts, anomalies)
        if errors:
            return Checked("unknown", "; ".join(errors), counts, anomalies)
        return Checked("valid", f"all {len(seen.met)} expectations are met", counts, anomalies)


def _said(expectation: Expectation, met: Met, values: Sequence[str]) -> str:
    found = first_of(values) + (", at least" if len(values) == EXAMPLES else "")
    return _SAID[expectation.expect].format(
        place=expectation.place, to=".".join(expectation.to or ()), wrong=met.wrong, found=found,
        limits=between(met.expected.low, met.expected.high),
    )


CHECKER: Checker = Expectations()
