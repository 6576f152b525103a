"""Everything a use case may need from outside, in one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.clock import Clock
from holdfast.model.indicator import Indicator
from holdfast.model.record import Tried
from holdfast.ports.books import Artefacts, Books, EvidenceLog, Notary, Notifier, Shown
from holdfast.ports.faults import FaultDriver
from holdfast.ports.leases import Journals, Keepers, LeaseStore
from holdfast.ports.ledger import Ledger
from holdfast.ports.metrics import Metrics, Sample
from holdfast.ports.workloads import Workloads
from holdfast.settings import Settings


@dataclass(frozen=True, slots=True)
class Ports:
    """The adapters of one deployment."""

    settings: Settings
    clock: Clock
    leases: LeaseStore
    journals: Journals
    keepers: Keepers
    workloads: Workloads
    books: Books
    ledger: Ledger
    artefacts: Artefacts
    notary: Notary
    log: EvidenceLog
    shown: Shown
    notifier: Notifier
    drivers: Mapping[str, FaultDriver]
    metrics: Callable[[str], Metrics]
    """Connection id to a Prometheus."""
    witness: Callable[[str, bytes], tuple[int, str]]
    """Ask the witness at an address to sign a head: HTTP status and answer; 0 and why if it is
    silent."""
    selftest: Callable[[], Sequence[Tried]]
    """Break copies of the evidence log, and say what was survived or found."""
    probe: Callable[[Indicator], Sample]
    """Ask an indicator that is not Prometheus's; what cannot be asked is no data."""
