"""What was charged, each key once; it outlives the process."""

import sqlite3
from enum import Enum
from pathlib import Path

_TABLE = """
CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, amount_cents INTEGER NOT NULL) STRICT
"""


class Outcome(Enum):
    """What became of a charge."""

    NEW = "new"
    AGAIN = "again"
    OTHER_AMOUNT = "other_amount"


class Charges:
    """The ledger of one payment service, in one file."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        # Safe against the death of the process, which is what happens to it here.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_TABLE)

    def charge(self, key: str, amount_cents: int) -> Outcome:
        """Charge unless this key was charged before; a key never changes its amount."""
        made = self._database.execute(
            "INSERT INTO charges VALUES (?, ?) ON CONFLICT DO NOTHING", (key, amount_cents)
        ).rowcount
        if made:
            return Outcome.NEW
        there = self._database.execute("SELECT amount_cents FROM charges WHERE key = ?", (key,))
        return Outcome.AGAIN if there.fetchone()[0] == amount_cents else Outcome.OTHER_AMOUNT

    def close(self) -> None:
        """Close the file."""
        self._database.close()
