"""How this deployment is wired: one frozen value, built at the borders."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are.

    `home` holds all state (default `.holdfast` below the folder the command runs in);
    `experiments` the suites; `airflow_url` is the API server the command line talks to.
    """

    home: Path
    experiments: Path
    airflow_url: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str], base: Path) -> "Settings":
        """Read `HOLDFAST_HOME`, `HOLDFAST_EXPERIMENTS` and `HOLDFAST_AIRFLOW_URL`.

        Paths relative to `base`.
        """
        return cls(
            home=(base / values.get("HOLDFAST_HOME", ".holdfast")).resolve(),
            experiments=(base / values.get("HOLDFAST_EXPERIMENTS", "experiments")).resolve(),
            airflow_url=values.get("HOLDFAST_AIRFLOW_URL", ""),
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
    def artefacts(self) -> Path:
        """Reports, histories and samples, by digest and by run."""
        return self.home / "artefacts"

    @property
    def connections(self) -> Path:
        """Addresses and secrets (0600), in the format of Airflow's local filesystem backend."""
        return self.home / "connections.json"

    @property
    def key(self) -> Path:
        """The runner's signing key (mode 0600)."""
        return self.home / "keys" / "runner.pem"

    @property
    def notices(self) -> Path:
        """Every notification as a line of JSON, whether or not it was delivered elsewhere."""
        return self.home / "notices.jsonl"
