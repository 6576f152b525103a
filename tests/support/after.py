"""A run whose faults are over: leases, journals and a workload's history beside the plan."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.model.fault import Recipe
from holdfast.model.lease import End, Lease, LeaseState
from holdfast.model.operation import Operation
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.book import write_finding
from holdfast.stores.notary import LocalNotary
from support import runs
from support.memory_leases import MemoryJournal
from support.runs import RUN

FAULTS = {"first": "hang", "beside": "latency", "second": "kill"}
LEASE: dict[str, Any] = {
    "injected_at": 1010.0, "reverted_at": 1018.0, "clean_at": 1018.5, "ended": End.DURATION,
    "widest_gap": 0.7, "counter": 16,
}


def op(at: float, took: float = 0.05, outcome: str = "ok", key: str = "", **more: Any) -> Operation:
    """An operation sent at `at`."""
    index = round(at * 1000)
    return Operation(index, index, "order", key or f"k{index}", at, at, at + took, outcome, **more)  # type: ignore[arg-type]


def steady(start: float, end: float, every: float = 0.1) -> list[Operation]:
    """Good operations, ten in a second."""
    return [op(round(start + n * every, 3)) for n in range(round((end - start) / every))]


def record(ports: Ports, operations: Sequence[Operation]) -> None:
    """Write the workload's log."""
    entries: list[dict[str, Any]] = []
    for o in operations:
        common = {"process": o.process, "f": o.f, "value": o.value}
        entries.append(common | {"index": 0, "time": _ns(o.invoked), "type": "invoke",
                                 "intended": _ns(o.intended)})
        if o.completed is not None:
            entries.append(common | {"index": 0, "time": _ns(o.completed), "type": o.outcome})
    entries.sort(key=lambda entry: entry["time"])
    file = ports.settings.home / "shop" / "history" / "orders.jsonl"
    file.write_text("".join(json.dumps(e | {"index": n}) + "\n" for n, e in enumerate(entries)))


def put_lease(ports: Ports, experiment: str = "first", number: int = 0, **changes: Any) -> Lease:
    """A lease of the run as it is in the store, with its journal."""
    kind = {"fault_type": FAULTS[experiment]}
    lease = runs.lease(experiment, number, **(LEASE | kind | changes))
    ports.leases.rows[lease.id] = lease  # type: ignore[attr-defined]
    journal = MemoryJournal(Recipe(lease.id, lease.fault_type, {}))
    for state in (LeaseState.OPENED, LeaseState.INJECTING, LeaseState.REVERTING, LeaseState.CLEAN):
        journal.write(state)
    ports.journals.written[lease.id] = journal  # type: ignore[attr-defined]
    return lease


def ended(home: Path, *changes: tuple[str, str], **parts: Any) -> Ports:
    """All three experiments ran their time and are clean; the history is good throughout."""
    notary = LocalNotary(home / "books.db", home / "keys")
    ports = runs.planned(home, *changes, **({"notary": notary} | parts))
    ports.clock.passed = 40.0  # type: ignore[attr-defined]
    for experiment, number in zip(FAULTS, (0, 0, 1), strict=True):
        put_lease(ports, experiment, number)
        write_finding(ports, RUN, Finding("fault", Verdict.HELD, "ran its time", experiment))
    record(ports, steady(1000, 1040))
    return ports


def set_state(ports: Ports, state: RunState, **changes: Any) -> None:
    """Change the run in the books."""
    run = ports.books.run(RUN)
    if run is not None:
        ports.books.close_run(replace(run, state=state, **changes))


def found(ports: Ports, name: str, experiment: str = "") -> Finding:
    """The one finding of this name."""
    from holdfast.steps.book import findings

    (one,) = [f for f in findings(ports, RUN) if (f.name, f.experiment) == (name, experiment)]
    return one


def _ns(seconds: float) -> int:
    return round(seconds * 1_000_000_000)
