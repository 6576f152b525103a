"""Touch nothing but a marker file: the fault to rehearse everything else with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.model.fault import Effect, Fault, Recipe, Setting, Target
from holdfast.ports.faults import FaultDriver


class NoopDriver:
    """The marker bears the lease id; revert removes it, residue lists the folder."""

    effect = Effect.HELD
    params: Mapping[str, Setting] = {}

    def targets(self, fault: Fault) -> Sequence[Target]:
        """Name the service; nothing of it is hit."""
        return (Target(name=f"{fault.service} (not touched)", service=fault.service, share=0.0),)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        """Name the marker."""
        folder = str(Path(fault.home) / "noop")
        return Recipe(lease_id, fault.type, {"folder": folder, "marker": lease_id})

    def inject(self, recipe: Recipe) -> None:
        """Write the marker."""
        marker = _marker(recipe)
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch(mode=0o600)

    def revert(self, recipe: Recipe) -> None:
        """Remove the marker."""
        _marker(recipe).unlink(missing_ok=True)

    def residue(self, recipe: Recipe) -> Sequence[str]:
        """List the folder for the mark."""
        folder = Path(str(recipe.undo["folder"]))
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return tuple(f"marker {name} is there" for name in names if name == recipe.undo["marker"])


def _marker(recipe: Recipe) -> Path:
    return Path(str(recipe.undo["folder"])) / str(recipe.undo["marker"])


DRIVER: FaultDriver = NoopDriver()
