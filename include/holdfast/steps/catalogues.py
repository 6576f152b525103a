"""The controls that are known here, and which catalogues say so."""

from collections.abc import Mapping, Sequence

from holdfast.model.control import Control
from holdfast.registry import Registry

_ROOM = "controls.frameworks"


def catalogue() -> Mapping[str, Control]:
    """Every control that is known here, by name."""
    catalogues = Registry[Sequence[Control]](_ROOM, "CONTROLS")
    return {c.name: c for name in catalogues for c in catalogues[name]}


def digests() -> Mapping[str, str]:
    """The digest of each catalogue in force, by its name: a reading of a framework may change."""
    return dict(Registry[str](_ROOM, "DIGEST"))


def contents() -> Mapping[str, bytes]:
    """The catalogues themselves, by name."""
    return dict(Registry[bytes](_ROOM, "CONTENT"))
