"""What stands beside a history: how it was made, and when what was broken."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from holdfast.errors import SpecError
from holdfast.model.quantities import Frozen

_LARGEST = 1 << 20


class FaultWindow(Frozen):
    """When a fault was on, by the clock of the history."""

    name: str
    begin_ns: int
    end_ns: int


class About(Frozen):
    """The side file of a history: `<file>.about.json`."""

    version: Literal[1] = 1
    workload: str = Field("", description="what wrote it")
    seed: int | None = Field(None, description="the workload again, exactly")
    clock: str = Field("", description="what its times are")
    checker: str = Field("", description="the checker that it was written for")
    options: dict[str, Any] = Field({}, description="what that checker is told")
    faults: tuple[FaultWindow, ...] = ()


def about(path: Path) -> About:
    """Read the side file of a history; without one, nothing is known."""
    side = side_file(path)
    try:
        if side.stat().st_size > _LARGEST:
            raise SpecError("it is too large for a side file", where=str(side))
        return About.model_validate_json(side.read_bytes())
    except FileNotFoundError:
        return About()
    except OSError as error:
        raise SpecError(f"it cannot be read: {error.strerror}", where=str(side)) from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}"
                         for e in error.errors())
        raise SpecError(told, where=str(side), hint="mend it, or take it away") from error


def write_about(path: Path, told: About) -> None:
    """Write the side file of a history."""
    side_file(path).write_text(told.model_dump_json(indent=1) + "\n")


def side_file(path: Path) -> Path:
    """Where it is."""
    return path.parent / f"{path.name}.about.json"
