"""`python -m holdfast.conformance.halting --at GAP --home HOME LEASE`: a keeper that stops itself.

It is the keeper itself, with a journal and a driver that send SIGSTOP to their own process when the
named gap is reached, once. Whoever takes over from it is the plain keeper.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from holdfast.clients.processes import look
from holdfast.errors import HoldfastError
from holdfast.keeper.__main__ import Keeper
from holdfast.keeper.parent import say
from holdfast.model.fault import Effect, Recipe, Setting
from holdfast.model.lease import LeaseState
from holdfast.ports.faults import FaultDriver
from holdfast.settings import Settings
from holdfast.stores.journal import FileJournal, FileJournals

Halt = Callable[[str], None]


def marker(settings: Settings, lease_id: str) -> Path:
    """The file that holds the pid of the process that has stopped itself."""
    return settings.journals / f"{lease_id}.halted"


def has_halted(settings: Settings, lease_id: str) -> bool:
    """Whether that process has really stopped: SIGCONT before would be lost on it."""
    try:
        process = look(int(marker(settings, lease_id).read_text()))
    except (FileNotFoundError, ValueError):
        return False
    return process is not None and process.is_stopped


class HaltingKeeper(Keeper):
    """Stops itself at one gap."""

    def __init__(self, settings: Settings, lease_id: str, gap: str) -> None:
        super().__init__(settings, lease_id)
        place = marker(settings, lease_id)

        def halt(here: str) -> None:
            if here == gap and not place.exists():
                place.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGSTOP)

        self._journals = _Journals(settings.journals, halt)
        self._drivers = _Drivers(self._drivers, halt)


class _Journals(FileJournals):
    def __init__(self, folder: Path, halt: Halt) -> None:
        super().__init__(folder)
        self._halt = halt

    def open(self, lease_id: str) -> FileJournal:
        """One that halts around its lines."""
        super().open(lease_id)  # KeyError if there is none
        return _Journal(self._path(lease_id), self._clock, self._halt)


class _Journal(FileJournal):
    def __init__(self, path: Path, clock: object, halt: Halt) -> None:
        super().__init__(path, clock)  # type: ignore[arg-type]
        self._halt = halt

    def write(self, state: LeaseState, **facts: object) -> None:
        """Append a line, with a gap on each side."""
        self._halt(f"before {state}")
        super().write(state, **facts)
        self._halt(f"after {state}")


class _Drivers(Mapping[str, FaultDriver]):
    def __init__(self, drivers: Mapping[str, FaultDriver], halt: Halt) -> None:
        self._all, self._halt = drivers, halt

    def __getitem__(self, name: str) -> FaultDriver:
        return _Driver(self._all[name], self._halt)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class _Driver:
    """A driver with a gap on each side of what it does."""

    def __init__(self, driver: FaultDriver, halt: Halt) -> None:
        self._driver, self._halt = driver, halt
        self.effect: Effect = driver.effect
        self.params: Mapping[str, Setting] = driver.params
        self.targets, self.arm = driver.targets, driver.arm

    def inject(self, recipe: Recipe) -> None:
        """Break the target."""
        self._halt("before inject")
        self._driver.inject(recipe)
        self._halt("after inject")

    def revert(self, recipe: Recipe) -> None:
        """Mend it."""
        self._halt("before revert")
        self._driver.revert(recipe)
        self._halt("after revert")

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """Say what is left."""
        self._halt("before residue")
        left = self._driver.residue(recipe)
        self._halt("after residue")
        return left


def main(arguments: Sequence[str]) -> int:
    """Leave the caller behind, then keep."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.conformance.halting")
    parser.add_argument("--at", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("lease")
    given = parser.parse_args(arguments)
    if os.fork():
        os._exit(0)
    keeper = HaltingKeeper(Settings(given.home, given.home / "experiments"), given.lease, given.at)
    try:
        return keeper.keep()
    except (HoldfastError, KeyError, OSError) as error:
        say(f"not kept: {error!r}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
