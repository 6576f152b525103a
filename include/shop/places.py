"""Where the shop keeps what it keeps: one folder below the home."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one shop; all of them below `home`."""

    home: Path

    @property
    def shop(self) -> Path:
        """The shop's own folder."""
        return self.home / "shop"

    @property
    def run(self) -> Path:
        """Pid files and what the processes tell each other."""
        return self.shop / "run"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.shop / "logs"

    @property
    def state(self) -> Path:
        """The ports of this shop, chosen when it started."""
        return self.shop / "state.json"

    @property
    def cluster(self) -> Path:
        """Which node ought to be the primary; the controller's decision."""
        return self.run / "cluster.json"

    @property
    def history(self) -> Path:
        """Every operation of the load, as it saw it."""
        return self.shop / "history" / "orders.jsonl"

    @property
    def passwords(self) -> Path:
        """Libpq's password file for the processes of PostgreSQL."""
        return self.shop / "data" / "pgpass"

    @property
    def connections(self) -> Path:
        """Addresses and secrets, shared with whoever else lives in this home."""
        return self.home / "connections.json"

    def data(self, name: str) -> Path:
        """The data folder of a node, or of Prometheus."""
        return self.shop / "data" / name

    def pid_file(self, name: str) -> Path:
        """The pid of a process, and nothing else."""
        return self.run / f"{name}.pid"
