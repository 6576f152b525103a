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
    def audit(self) -> Path:
        """Every reading of an account: who read which, when, through which API."""
        return self.shop / "audit" / "accounts.jsonl"

    @property
    def env(self) -> Path:
        """What a process finds in its environment at its next start: `<name>.env`, if there."""
        return self.shop / "env"

    @property
    def tls(self) -> Path:
        """The shop's own certificates, made at its start."""
        return self.shop / "tls"

    @property
    def authority(self) -> Path:
        """The certificate of the shop's own CA."""
        return self.tls / "authority.pem"

    @property
    def authority_key(self) -> Path:
        """The key of that CA: for a certificate that is wrong in one thing only."""
        return self.tls / "authority.key"

    @property
    def certificate(self) -> Path:
        """The certificate of the shop's door, and its key; HAProxy knows it by this path."""
        return self.tls / "front.pem"

    @property
    def socket(self) -> Path:
        """HAProxy's runtime API."""
        return self.run / "haproxy.sock"

    @property
    def charges(self) -> Path:
        """What the payment service has charged."""
        return self.data("payment") / "charges.db"

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
