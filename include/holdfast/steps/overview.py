"""Which runs there were, and who holds which environment now. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.model.lease import Environment, Lease
from holdfast.model.run import Run
from holdfast.ports.bundle import Ports

MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """An environment, the run that holds it, and its leases that are not clean."""

    environment: Environment
    holder: Run | None
    leases: Sequence[Lease]


@dataclass(frozen=True, slots=True)
class Overview:
    """The latest runs first; environments by name."""

    runs: Sequence[Run]
    places: Sequence[Place]


def overview(ports: Ports) -> Overview:
    """Read the latest runs, every environment that was ever used, and the faults that are on."""
    still_open = ports.leases.leases(open_only=True)
    return Overview(ports.books.runs(MOST_RUNS), [
        Place(
            there, ports.books.run(there.locked_by) if there.locked_by else None,
            [lease for lease in still_open if lease.environment == there.name],
        )
        for there in ports.leases.environments()
    ])
