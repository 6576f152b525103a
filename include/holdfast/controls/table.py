"""Read a catalogue: a table of controls, tab-separated, one row each. Pure."""

import csv
from collections.abc import Sequence

from holdfast.model.control import Control, Strength


def read_table(content: bytes) -> Sequence[Control]:
    """Read the rows; ValueError or KeyError if it is no such table."""
    rows = csv.DictReader(
        content.decode().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    return tuple(
        Control(
            row["framework"], row["control_id"], row["title"], row["meaning"],
            row["fault_or_test"], row["must_show"], row["review_approval"],
            int(row["max_age_days"]), Strength(row["strength"]),
        )
        for row in rows
    )
