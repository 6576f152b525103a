"""One kill while a fault is on: what must be true afterwards, and the table of all of them."""

import os
import signal
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from holdfast.model.lease import MOVES, End, Lease, LeaseState
from holdfast.model.verdict import Verdict
from support.lab import Asked, Lab, boottime, until
from support.lab_suites import LEASE_SECONDS

IN_LEASE = LEASE_SECONDS + 2.0
"""What is allowed from a kill to a clean target: the lease, and two seconds on top."""


@dataclass(frozen=True)
class Kill:
    """One row's worth: residues are sentences, seconds run from the kill to the clean line."""

    case: str
    seconds: float
    residues: int
    end: str


@dataclass
class Table:
    """Every kill of this session."""

    kills: list[Kill] = field(default_factory=list)

    def markdown(self) -> str:
        """One line a case."""
        cases = defaultdict[str, list[Kill]](list)
        for kill in self.kills:
            cases[kill.case].append(kill)
        lines = [
            "| killed while a fault is on | rounds | residues | clean p50 | max | the run ends |",
            "|---|---|---|---|---|---|",
        ]
        for case, kills in cases.items():
            seconds = sorted(k.seconds for k in kills)
            ends = ", ".join(dict.fromkeys(k.end for k in kills))
            residues = sum(k.residues for k in kills)
            lines.append(
                f"| {case} | {len(kills)} | {residues} | {median(seconds):.2f} s "
                f"| {seconds[-1]:.2f} s | {ends} |"
            )
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Turn:
    """The suite of a case, and the one that may begin while this case's run ends."""

    suite: str
    following: str = ""


class Case:
    """A run whose fault is on now, and what becomes of it."""

    def __init__(self, lab: Lab, table: Table, name: str, turn: Turn) -> None:
        self.lab, self._table, self._turn, self.name = lab, table, turn, name
        self.run: Asked = lab.begun(turn.suite)
        self.lease: Lease = self.run.until_active()
        self.driver = lab.ports.drivers[self.lease.fault_type]
        self.recipe = lab.ports.journals.open(self.lease.id).recipe()
        until(lambda: bool(self.residue()), 3.0, lambda: "the fault is not seen on its target")
        self.at = boottime()
        self.seconds = -1.0

    def residue(self) -> Sequence[str]:
        """The independent path, looked at from this process."""
        return self.driver.residue(self.recipe)

    def _what_stays(self) -> Sequence[str]:
        """The residue seen at three looks in a row: a path that is slow once is no trace."""
        left = self.residue()
        for _ in range(2):
            left = left and self.residue()
        return left

    def kill(self, pids: Sequence[int], number: signal.Signals = signal.SIGKILL) -> None:
        """Now; the clock runs from here."""
        self.at = boottime()
        for pid in pids:
            os.kill(pid, number)

    def now(self) -> None:
        """The clock runs from here."""
        self.at = boottime()

    def until_clean(self, within: float, limit: float = 60.0) -> None:
        """Wait for the journal's word, then look for ourselves; both within the bound."""
        clean = self.run.until_state(self.lease, LeaseState.CLEAN, limit)
        left = self._what_stays()
        self.seconds = max(0.0, clean - self.at)
        self._residues = len(left)
        assert not left
        assert self.seconds < within

    def ends(self, state: str, verdict: Verdict, *ended: End) -> Asked:
        """The run ends like this in Airflow and in the books, and leaves nothing behind.

        `ended` is what the keeper may have seen first.
        """
        self.lab.begin(self._turn.following)
        seen = self.run.until_over()
        self._table.kills.append(
            Kill(self.name, self.seconds, self._residues + len(self.residue()),
                 f"{seen} {self.run.book.standing}")
        )
        assert (seen, self.run.book.verdict) == (state, verdict), self.run.book.reason
        assert not self.residue()
        self._check_leases(ended)
        there = self.lab.ports.leases.environment(self.lease.environment)
        assert (there.locked_by, there.hold) == ("", "")
        return self.run

    def _check_leases(self, ended: Sequence[End]) -> None:
        check_leases(self.run)
        first = self.run.lines(self.lease)
        assert next(x.facts["ended"] for x in first if "ended" in x.facts) in ended


def check_leases(run: Asked) -> None:
    """Every lease of the run is clean, and its journal goes as journals may go."""
    for lease in run.leases:
        assert lease.state is LeaseState.CLEAN, lease
        states = [line.state for line in run.lines(lease)]
        assert states[0] is LeaseState.OPENED
        assert states[-1] is LeaseState.CLEAN
        assert all(b in MOVES[a] for a, b in pairwise(states)), states
