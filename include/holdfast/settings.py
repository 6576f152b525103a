"""How this deployment is wired: one frozen value, built at the borders."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.errors import SpecError

_NO_ID = "(no connection id in HOLDFAST_STORE)"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are.

    `home` holds all state (default `.holdfast` of the deployment), `experiments` the suites.
    `commands` maps names to the programs that suites may have run, by absolute path; by default
    none, as whoever writes a suite shall not choose what runs here. `store` is the connection of a
    PostgreSQL that machines share for leases, books, ledger and evidence; empty, they are files.
    """

    home: Path
    experiments: Path
    commands: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str], base: Path) -> "Settings":
        """Read `HOLDFAST_HOME`, `_EXPERIMENTS`, `_COMMANDS` and `_STORE`.

        Folders are relative to the deployment, which is `base` or the nearest folder above it that
        holds `.holdfast` or `experiments`; without `HOLDFAST_HOME` there must be one.
        """
        places = [base, *base.parents]
        marks = (".holdfast", "experiments")
        root = next((p for p in places if any((p / mark).is_dir() for mark in marks)), None)
        if root is None and "HOLDFAST_HOME" not in values:
            raise SpecError(
                "there is no deployment here: no .holdfast and no experiments", where=str(base),
                hint="go to the checkout, or set HOLDFAST_HOME",
            )
        start = root or base
        return cls(
            home=(start / values.get("HOLDFAST_HOME", ".holdfast")).resolve(),
            experiments=(start / values.get("HOLDFAST_EXPERIMENTS", "experiments")).resolve(),
            commands=commands(values.get("HOLDFAST_COMMANDS", "")),
            store=_store(values.get("HOLDFAST_STORE", "").strip()),
        )

    @property
    def live(self) -> Path:
        """The small hot database: leases, epochs, holds, locks."""
        return self.home / "live.db"

    @property
    def stops(self) -> Path:
        """Every stop as a line of JSON: keepers look here too, for the store may be down."""
        return self.home / "stops.jsonl"

    @property
    def hold(self) -> Path:
        """While this file is there no fault is injected here; its text says why."""
        return self.home / "HOLD"

    @property
    def books(self) -> Path:
        """The database of runs, findings and records."""
        return self.home / "books.db"

    @property
    def journals(self) -> Path:
        """One append-only file for each lease."""
        return self.home / "journal"

    @property
    def samples(self) -> Path:
        """What indicators without a history of their own showed, by run and lease."""
        return self.home / "samples"

    @property
    def workloads(self) -> Path:
        """What runs have sent themselves, and what became of it: by run, then by workload."""
        return self.home / "workloads"

    @property
    def artefacts(self) -> Path:
        """Reports, histories and samples, by digest and by run."""
        return self.home / "artefacts"

    @property
    def connections(self) -> Path:
        """Addresses and secrets (0600), in the format of Airflow's local filesystem backend."""
        return self.home / "connections.json"

    @property
    def keys(self) -> Path:
        """Signing keys by role (mode 0600): `runner.pem` and others."""
        return self.home / "keys"

    @property
    def exports(self) -> Path:
        """Bundles of evidence that were asked for through the API or its page."""
        return self.home / "exports"

    @property
    def trust(self) -> Path:
        """What whoever checks evidence must be given by another way: `policy`, `roles.json`."""
        return self.home / "trust"

    @property
    def notices(self) -> Path:
        """Every notification as a line of JSON, whether or not it was delivered elsewhere."""
        return self.home / "notices.jsonl"


def _store(written: str) -> str:
    """The connection's id. An address, which may hold a password, goes no further than here.

    It is no error yet: whoever stops everything must be able to, store or not.
    """
    return written if re.fullmatch(r"[A-Za-z0-9_.-]*", written) else _NO_ID


def commands(text: str) -> dict[str, str]:
    """Read `queue-depth=/usr/local/bin/queue-depth, NAME=PATH`."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, path = map(str.strip, part.partition("="))
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or not path.startswith("/"):
            raise SpecError(f"'{part}' allows no command", where="HOLDFAST_COMMANDS",
                            hint="NAME=/absolute/path, several by commas")
        if name in found:
            raise SpecError(f"'{name}' is there twice", where="HOLDFAST_COMMANDS")
        found[name] = path
    return found
