"""The catalogue that comes along: 176 controls of 14 frameworks, in our own words.

Identifiers are those of the frameworks; of ISO, AICPA and PCI no text is here but titles. It is one
reading, no legal opinion. Suites may lean on it; `DIGEST` says which catalogue was in force.
"""

import hashlib
from importlib.resources import files

from holdfast.controls.table import read_table

CONTENT = files(__package__).joinpath("catalogue.tsv").read_bytes()
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
CONTROLS = read_table(CONTENT)
