"""A run that has been planned, for tests of the steps that follow."""

from pathlib import Path
from typing import Any

from holdfast.model.lease import Lease, LeaseState, Reason, Revocation
from holdfast.ports.bundle import Ports
from holdfast.steps.plan import PlanRequest, plan
from support import suites
from support.ports import FakeMetrics, memory_ports

RUN = "checkout--manual_1"
WELL = {suites.ERRORS: 0.001, suites.LATENCY: 0.05}


def planned(home: Path, *changes: tuple[str, str], request: dict[str, Any] | None = None,
            **parts: Any) -> Ports:
    """Ports with the run of `suites.TEXT` open in their books, its workload's history beside."""
    well = {"metrics": FakeMetrics(WELL), "drivers": suites.drivers()}
    ports = memory_ports(home, **(well | parts))
    history = home / "shop" / "history" / "orders.jsonl"
    history.parent.mkdir(parents=True, exist_ok=True)
    history.touch()
    plan(ports, PlanRequest(RUN, suites.written(home, *changes), **(request or {})))
    return ports


def lease(experiment: str = "first", number: int = 0, reason: Reason | None = None,
          state: LeaseState = LeaseState.CLEAN, **changes: Any) -> Lease:
    """A lease of the run; revoked if a reason is given."""
    revoked = Revocation(reason, "errors were 3%", "guard", "2026-01-01") if reason else None
    parts: dict[str, Any] = {
        "id": f"lease-{experiment}", "run_id": RUN, "round": number, "experiment": experiment,
        "environment": "staging", "fault_type": "hang", "service": "api", "host": "h",
        "boot_id": "b", "epoch": 0, "lease_seconds": 5.0, "duration_seconds": 7.0,
        "delay_seconds": 0.0, "opened_at": "2026-01-01T02:00:00+00:00",
        "state": state, "revoked": revoked,
    }
    return Lease(**(parts | changes))
