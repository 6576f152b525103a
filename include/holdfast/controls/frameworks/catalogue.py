"""The catalogue that comes along: 176 controls of 14 frameworks, in our own words.

Identifiers are those of the frameworks; of ISO, AICPA and PCI no text is here but titles. It is one
reading, no legal opinion. Suites may lean on it; `DIGEST` says which catalogue was in force.
"""

import csv
import hashlib
from importlib.resources import files

from holdfast.model.control import Control, Strength

_CONTENT = files(__package__).joinpath("catalogue.tsv").read_bytes()
DIGEST = f"sha256:{hashlib.sha256(_CONTENT).hexdigest()}"
_ROWS = csv.DictReader(
    _CONTENT.decode().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
CONTROLS = tuple(
    Control(
        row["framework"], row["control_id"], row["title"], row["meaning"], row["fault_or_test"],
        row["must_show"], row["review_approval"], int(row["max_age_days"]),
        Strength(row["strength"]),
    )
    for row in _ROWS
)
