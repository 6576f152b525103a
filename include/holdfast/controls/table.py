"""Read a catalogue: a table of controls, tab-separated, one row each. Pure."""

import csv
from collections.abc import Mapping, Sequence

from holdfast.model.control import Control, Strength

_MOST_DAYS = 36_500


def read_table(content: bytes) -> Sequence[Control]:
    """Read the rows; ValueError or KeyError if it is no such table."""
    rows = csv.DictReader(
        content.decode().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    try:
        return tuple(map(_control, rows))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _control(row: Mapping[str, str | None]) -> Control:
    cell = {name: text or "" for name, text in row.items()}  # a short row has no text at its end
    days = int(cell["max_age_days"])
    if not 0 < days <= _MOST_DAYS:
        raise ValueError(f"{days} days")
    return Control(
        cell["framework"], cell["control_id"], cell["title"], cell["meaning"],
        cell["fault_or_test"], cell["must_show"], cell["review_approval"], days,
        Strength(cell["strength"]),
    )
