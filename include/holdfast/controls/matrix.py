"""Standings as a table: a row for each control that runs have shown something of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.controls.coverage import ANY
from holdfast.model.control import Control, Standing


@dataclass(frozen=True, slots=True)
class Row:
    """One control; a cell for each service, None where it has shown nothing there."""

    control: Control
    cells: Sequence[Standing | None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Controls by services. What no run has touched is left out: it is among the gaps."""

    services: Sequence[str]
    rows: Sequence[Row]


def matrix(standings: Sequence[Standing]) -> Matrix:
    """Put standings, in their order, into rows."""
    shown = [s for s in standings if s.service != ANY]
    services = sorted({s.service for s in shown})
    cells = {(s.control.name, s.service): s for s in shown}
    controls = {s.control.name: s.control for s in shown}
    return Matrix(services, [
        Row(control, [cells.get((name, service)) for service in services])
        for name, control in controls.items()
    ])
