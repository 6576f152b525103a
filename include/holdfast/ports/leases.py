"""The store of leases, and the journals beside it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from holdfast.errors import HoldfastError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.lease import Environment, Lease, LeaseState, Renewal, Revocation


class StoreDown(HoldfastError, OSError):
    """The store did not answer: locked, gone, unreadable or damaged. It may answer later."""


class LeaseStore(Protocol):
    """Leases, epochs, holds and locks: small and hot. Every call is one transaction.

    A lease's state only moves along `MOVES`; a revocation is final; counters only rise. Every call
    may raise StoreDown.
    """

    def lock(self, environment: str, run_id: str) -> None:
        """Take the environment for a run.

        Again by the same run is fine. Postponed if another has it or it is held.
        """

    def unlock(self, environment: str, run_id: str) -> bool:
        """Give it back; refused (False) while a lease of the environment is not clean."""

    def environment(self, name: str) -> Environment:
        """Its epoch, hold and lock."""

    def environments(self) -> Sequence[Environment]:
        """Every environment that was ever used, by name."""

    def open(self, lease: Lease) -> Lease:
        """Make the row with the environment's epoch of now.

        Postponed if held or locked by another run.
        """

    def read(self, lease_id: str) -> Lease:
        """One lease; KeyError if there is none."""

    def leases(
        self, *, run_id: str | None = None, environment: str | None = None, open_only: bool = False
    ) -> Sequence[Lease]:
        """Leases, oldest first; `open_only` leaves the clean ones out."""

    def renew(self, renewals: Sequence[Renewal]) -> Mapping[str, Lease]:
        """Raise the counters of leases not revoked, in one transaction.

        Give back all rows as they then are.
        """

    def revoke(self, lease_id: str, revocation: Revocation) -> bool:
        """Revoke the lease and all leases of its round (those with reason ROUND).

        False if it was already.
        """

    def move(self, lease_id: str, state: LeaseState, **facts: object) -> bool:
        """Move along MOVES and set facts (`ended`, `detail`, `widest_gap`, `..._at`).

        False if not allowed from here.
        """

    def begin_injection(self, lease_id: str) -> str:
        """Armed to injecting, if not revoked, epoch unchanged and no hold, in one transaction.

        Else why not.
        """

    def beat(self, lease_id: str) -> None:
        """A sign of life of the keeper."""

    def stop(
        self, revocation: Revocation, *, run_id: str | None = None, hold: str = ""
    ) -> Sequence[str]:
        """Raise the epoch of every environment concerned, revoke every open lease there.

        Set the hold if asked: without a run it is one of every environment, used before or not.
        """

    def release(self, environment: str) -> None:
        """End the hold of one environment, or without a name the one of all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal; `boottime` is CLOCK_BOOTTIME seconds, `at` ISO 8601."""

    seq: int
    state: LeaseState
    boottime: float
    at: str
    facts: Mapping[str, object]


class Journal(Protocol):
    """The truth about one lease: append-only, each line on disk before its deed."""

    def write(self, state: LeaseState, **facts: object) -> None:
        """Append a line and force it to disk."""

    def lines(self) -> Sequence[Line]:
        """Every whole line; EvidenceError with its place if one is damaged."""

    def recipe(self) -> Recipe:
        """The recipe, from the first line."""

    def lease(self) -> Lease:
        """The lease as it was opened, from the first line."""


class Journals(Protocol):
    """The journals of this host."""

    def create(self, lease: Lease, fault: Fault, recipe: Recipe) -> Journal:
        """A new journal with space reserved and the recipe as its first line (state OPENED)."""

    def open(self, lease_id: str) -> Journal:
        """An existing one; KeyError if there is none."""

    def ids(self) -> Sequence[str]:
        """Every lease that has a journal here."""

    def claim(self, lease_id: str) -> AbstractContextManager[bool]:
        """The lease's file lock, without waiting; False if somebody else has it."""


class Keepers(Protocol):
    """Where keepers run."""

    def start(self, lease_id: str) -> None:
        """Start a keeper in a session of its own; it outlives the caller."""

    def is_alive(self, lease_id: str) -> bool:
        """Whether a process of its keeper is there (pid, start time and boot id agree)."""

    def end(self, lease_id: str) -> None:
        """Ask the keeper to revert now (SIGTERM); nothing happens if it is gone."""

    def kill(self, lease_id: str) -> None:
        """Kill what is left of this lease's keeper, and wait until it is gone."""
