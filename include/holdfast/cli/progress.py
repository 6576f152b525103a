"""What a person sees while a run goes on: one line an event, and one that moves on a terminal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.text import Text

from holdfast.cli.border import out
from holdfast.model.lease import Lease, LeaseState
from holdfast.model.run import Entry, EntryKind, run_id
from holdfast.model.suite import Suite
from holdfast.model.verdict import Verdict
from holdfast.ports.bundle import Ports
from holdfast.spec.load import LoadedSuite
from holdfast.steps import indicate
from holdfast.steps.approval import ANSWER, ASKED

_PLAIN_EVERY = 2.0  # seconds between guard readings where lines cannot be overwritten


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for."""

    loaded: LoadedSuite
    dag_run_id: str
    timeout: timedelta

    @property
    def suite(self) -> Suite:
        """What the file says."""
        return self.loaded.suite

    @property
    def dag_id(self) -> str:
        """The suite's DAG."""
        return self.suite.metadata.name

    @property
    def run_id(self) -> str:
        """The run's id in the books."""
        return run_id(self.dag_id, self.dag_run_id)


class Progress:
    """Prints what has happened since the last `show`."""

    def __init__(self, ports: Ports, asked: Asked) -> None:
        self._ports, self._asked = ports, asked
        self._start = ports.clock.boottime()
        self._told: set[tuple[str, ...]] = set()
        self._states: dict[str, LeaseState] = {}
        self._read_at = 0.0
        self._live = (
            Live(console=out, refresh_per_second=4, transient=True) if out.is_terminal else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self) -> None:
        """Print every new event, and the guard's view while a fault is on."""
        for entry in self._ports.books.read(self._asked.run_id):
            key = (entry.kind, entry.experiment, entry.name, entry.at)
            line = _LINES.get(entry.kind, _nothing)(entry)
            if line and key not in self._told:
                self._told.add(key)
                self._say(line)
        leases = self._ports.leases.leases(run_id=self._asked.run_id)
        for lease in leases:
            if self._states.get(lease.id) != lease.state:
                self._states[lease.id] = lease.state
                self._say(_lease_line(lease))
        self._readings([x for x in leases if x.state in (LeaseState.ACTIVE, LeaseState.INJECTING)])

    def _readings(self, active: list[Lease]) -> None:
        now = self._ports.clock.boottime()
        if not active or (not self._live and now - self._read_at < _PLAIN_EVERY):
            if self._live and not active:
                self._live.update(Text(f"{now - self._start:6.1f}s  ..."))
            return
        self._read_at = now
        line = "  guard  " + "  ".join(self._samples(active))
        if self._live:
            self._live.update(Text(f"{now - self._start:6.1f}s {line}", style="cyan"))
        else:
            self._say(line)

    def _samples(self, active: list[Lease]) -> Iterator[str]:
        """Each objective now, and what ends the fault: its bound, or what is tolerated instead."""
        names = {lease.experiment for lease in active}
        rounds = self._asked.suite.rounds
        tolerated = [e.stop_on for r in rounds for e in r.experiments if e.name in names]
        for objective in self._asked.suite.objectives:
            sample = indicate.now(self._ports, self._asked.suite, objective)
            shown = "no data" if sample.value is None else objective.objective.tell(sample.value)
            stops = {str(stop) for t in tolerated for stop in t.get(objective.name, ())}
            limit = f"stops {' or '.join(sorted(stops))}" if stops else str(objective.objective)
            yield f"{objective.name} {shown} ({limit})"

    def _say(self, line: str) -> None:
        out.print(f"{self._ports.clock.boottime() - self._start:6.1f}s  {line}", markup=False)


def _lease_line(lease: Lease) -> str:
    line = f"{lease.experiment}: {lease.fault_type} {lease.state}"
    if lease.state == LeaseState.REVERTING and lease.ended:
        line += f" ({lease.ended}{': ' + lease.revoked.text if lease.revoked else ''})"
    if lease.state == LeaseState.CLEAN and lease.widest_gap is not None:
        line += (
            f", proven by another path; lease margin {lease.lease_seconds - lease.widest_gap:.2f}s"
        )
    return line


def _finding(entry: Entry) -> str:
    data: Mapping[str, object] = entry.data
    verdict = data.get("verdict")
    name = Verdict(verdict).name if isinstance(verdict, int) else str(verdict)
    return f"{entry.experiment or 'run'}: {entry.name} {name}: {data.get('text', '')}"


def _steady(entry: Entry) -> str:
    broken = entry.data.get("broken")
    found = "; ".join(map(str, broken)) if isinstance(broken, list | tuple) else ""
    return f"{entry.name.replace('-', ' ')}: {f'not steady: {found}' if found else 'steady'}"


def _wait(entry: Entry) -> str:
    data = entry.data
    return f"waits until {data['again']} (at most until {data['until']}): {data['reason']}"


def _approval(entry: Entry) -> str:
    data = entry.data
    if entry.name == ASKED:
        who = data.get("by")
        others = ", ".join(map(str, who)) if isinstance(who, list) and who else "another person"
        until = str(data["until"])[:19].replace("T", " ")
        return (
            f"waits for an approval until {until} UTC, because {data['why']}: "
            f"{others} may approve plan {data['plan']} at Airflow under Required Actions, or by "
            f"holdfast approve {entry.run_id} --as NAME"
        )
    if entry.name == ANSWER:
        by = f" by {data['by']}" if data["by"] else ""
        why = f": {data['why']}" if data["why"] else ""
        return f"plan {str(data['answer']).replace('_', ' ')}{by}{why}"
    return f"a yes that does not count: {data['why']}"


def _nothing(_: Entry) -> str:
    return ""


_LINES: Mapping[EntryKind, Callable[[Entry], str]] = {
    EntryKind.PLAN: lambda e: f"plan of {e.name} made",
    EntryKind.APPROVAL: _approval,
    EntryKind.BASELINE: lambda e: f"baseline {e.name} taken",
    EntryKind.STEADY: _steady,
    EntryKind.WAIT: _wait,
    EntryKind.FINDING: _finding,
}
