"""Workloads that send nothing: what was asked of them, and how they are said to have ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.errors import FaultError
from holdfast.model.workload import WorkloadSpec
from holdfast.ports.workloads import Ended


@dataclass
class MemoryWorkloads:
    """`refuse` makes one of that name not begin, `stuck` any stop fail; `on_stop` is called then.

    What `ends` says of a name is how it ended; a name that is not there died.
    """

    folder: Path
    refuse: str = ""
    stuck: str = ""
    on_stop: Callable[[], object] = lambda: None
    ends: dict[str, Ended] = field(default_factory=dict)
    running: dict[str, tuple[WorkloadSpec, float]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def start(self, run_id: str, spec: WorkloadSpec, seconds: float) -> None:
        self.calls.append(f"start {spec.name}")
        if spec.name == self.refuse:
            raise FaultError("no place to write", target=f"workload {spec.name}")
        self.running[spec.name] = (spec, seconds)

    def stop(self, run_id: str | None) -> None:
        self.calls.append("stop")
        self.on_stop()
        if self.stuck:
            raise FaultError(self.stuck)
        self.running.clear()

    def history(self, run_id: str, name: str) -> Path:
        return self.folder / run_id / f"{name}.jsonl"

    def ended(self, run_id: str, name: str) -> Ended | None:
        return self.ends.get(name)
