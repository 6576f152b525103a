"""Leases over the real stores: values to start from, and a bundle whose keepers are real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.clients.host import boot_id, host_name
from holdfast.clock import SystemClock
from holdfast.model.fault import Fault
from holdfast.model.lease import Lease, LeaseState
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.stores.journal import FileJournals
from holdfast.stores.keepers import LocalKeepers
from holdfast.stores.live import SqliteLeases
from support.ports import memory_ports

LEASE = Lease(
    id="lease-1", run_id="suite--run", round=0, experiment="experiment", environment="lab",
    fault_type="noop", service="api", host=host_name(), boot_id=boot_id(), epoch=0,
    lease_seconds=5.0, duration_seconds=8.0, delay_seconds=0.0,
    opened_at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
)


def a_lease(**changes: Any) -> Lease:
    """A lease that has just been opened."""
    return replace(LEASE, **changes)


def opened(store: Any, **changes: Any) -> Lease:
    """A lease that was opened in this store."""
    found: Lease = store.open(a_lease(**changes))
    return found


def armed(store: Any, **changes: Any) -> Lease:
    """One that is armed."""
    lease = opened(store, **changes)
    assert store.move(lease.id, LeaseState.ARMED)
    return lease


def a_fault(home: Path, **changes: Any) -> Fault:
    """The noop fault, as a driver gets it."""
    return replace(
        Fault("noop", "api", {}, str(home), timedelta(seconds=LEASE.duration_seconds)), **changes
    )


def file_ports(home: Path, environ: dict[str, str] | None = None, **changes: Any) -> Ports:
    """Ports with the real lease store, journals and keepers below `home`; the rest in memory."""
    settings = Settings(home, home / "experiments")
    parts = {
        "settings": settings,
        "clock": SystemClock(),
        "leases": SqliteLeases(settings.live),
        "journals": FileJournals(settings.journals, changes.get("clock")),
        "keepers": LocalKeepers(settings, environ),
    }
    return memory_ports(home, **(parts | changes))
