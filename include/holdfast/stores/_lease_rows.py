"""The tables of leases and environments, and their rows as values."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from holdfast.model.lease import End, Environment, Lease, LeaseState, Reason, Revocation

VERSION = 1
SCHEMA = (
    """CREATE TABLE environments (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL DEFAULT 0,
        hold TEXT NOT NULL DEFAULT '', locked_by TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE leases (
        id TEXT PRIMARY KEY, run_id TEXT NOT NULL, round INTEGER NOT NULL,
        experiment TEXT NOT NULL, environment TEXT NOT NULL, fault_type TEXT NOT NULL,
        service TEXT NOT NULL, host TEXT NOT NULL, boot_id TEXT NOT NULL, epoch INTEGER NOT NULL,
        lease_seconds REAL NOT NULL, duration_seconds REAL NOT NULL, delay_seconds REAL NOT NULL,
        opened_at TEXT NOT NULL, state TEXT NOT NULL, counter INTEGER NOT NULL,
        beat INTEGER NOT NULL, breach_since TEXT NOT NULL, revoked TEXT, ended TEXT,
        detail TEXT NOT NULL, widest_gap REAL, injected_at REAL, reverted_at REAL, clean_at REAL
    ) STRICT""",
    "CREATE INDEX leases_of_run ON leases (run_id, round)",
    "CREATE INDEX leases_not_clean ON leases (environment) WHERE state <> 'clean'",
)
COLUMNS = tuple(field.name for field in fields(Lease))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM leases"  # noqa: S608
INSERT = (
    f"INSERT INTO leases ({', '.join(COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join(':' + name for name in COLUMNS)})"
)
FACTS = frozenset({"ended", "detail", "widest_gap", "injected_at", "reverted_at", "clean_at"})


def as_row(lease: Lease) -> dict[str, object]:
    """A lease as values for its columns."""
    row = {name: getattr(lease, name) for name in COLUMNS}
    row["breach_since"] = json.dumps(dict(lease.breach_since))
    row["revoked"] = None if lease.revoked is None else as_text(lease.revoked)
    return row


def as_lease(row: Any) -> Lease:
    """A row as a lease."""
    values = dict(row)
    values["state"] = LeaseState(values["state"])
    values["ended"] = None if values["ended"] is None else End(values["ended"])
    values["breach_since"] = json.loads(values["breach_since"])
    values["revoked"] = None if values["revoked"] is None else _revocation(values["revoked"])
    return Lease(**values)


def as_environment(row: Any) -> Environment:
    """A row as an environment."""
    return Environment(row["name"], row["epoch"], row["hold"], row["locked_by"])


def as_text(revocation: Revocation) -> str:
    """A revocation as JSON; a reading that JSON has no form for is written as text."""
    return json.dumps(asdict(revocation), default=str)


def _revocation(text: str) -> Revocation:
    values: Mapping[str, object] = json.loads(text)
    return Revocation(**(dict(values) | {"reason": Reason(str(values["reason"]))}))  # type: ignore[arg-type]
