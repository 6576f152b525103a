"""What belongs into a bundle: a file that follows from nothing says whatever its maker likes."""

import re
from collections.abc import Iterator, Set

from holdfast.audit import places
from holdfast.audit.manifest import Manifest
from holdfast.audit.opened import MOST_FILES
from holdfast.audit.told import Told
from holdfast.evidence.tiles import WIDTH, path_of
from holdfast.evidence.tiles import places as tile_places
from holdfast.evidence.trouble import Trouble

_NUMBERED = re.compile(r"(?:entries|proofs)/([0-9]{6,16})\.[a-z.-]+")


def check_closed(names: Set[str], manifest: Manifest, told: Told, size: int) -> Iterator[Trouble]:
    """Name every file that is no part of a bundle, whoever has signed for it."""
    known = _known(manifest, told, size)
    for name in sorted(names - known):
        if not _is_record(name, manifest.first, size):
            yield Trouble(
                "E_FOREIGN_FILE", name, "files that follow from the log", "one that does not",
                "it is no part of a bundle, and nothing that is checked says what is in it",
            )


def _known(manifest: Manifest, told: Told, size: int) -> Set[str]:
    counted = min(size, MOST_FILES * WIDTH)
    return {
        places.MANIFEST, places.CHECKPOINT, places.README,
        *(places.REPORT + name for name in places.REPORTS),
        *(places.OSCAL + name for name in places.OSCALS),
        *map(places.catalogue, manifest.catalogues),
        *(places.tile(path_of(*place)) for place in tile_places(counted)),
        *(places.artefact(digest) for run in told.runs for digest in run.files.values()),
    }


def _is_record(name: str, first: int, size: int) -> bool:
    match = _NUMBERED.fullmatch(name)
    index = -1 if match is None else int(match[1])
    return first <= index < size and name in (places.entry(index), places.proof(index))
