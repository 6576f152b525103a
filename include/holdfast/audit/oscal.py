"""The OSCAL documents of a bundle. They need pydantic, which the one-file verifier goes without."""

import logging
from collections.abc import Mapping
from importlib.util import find_spec

from holdfast.audit import places
from holdfast.audit.told import Told
from holdfast.errors import EvidenceError

_log = logging.getLogger("holdfast.audit")


def can_be_made() -> bool:
    """Whether this installation can write OSCAL."""
    return find_spec("holdfast.oscal") is not None and find_spec("pydantic") is not None


def oscal(told: Told, checkpoint: str) -> Mapping[str, bytes]:
    """Assessment plan, results, plan of action for the runs that are told of, by their places.

    None of them where a record, of another version perhaps, cannot be told in OSCAL's words.
    """
    from holdfast.oscal.build import documents

    records = {i: s for run in told.runs for i, s in run.statements.items()}
    try:
        made = documents(records, told.basis.controls.values(), told.basis.origin, checkpoint)
    except EvidenceError as error:
        _log.warning("the bundle has no OSCAL: %s", error)
        return {}
    return {places.OSCAL + name: content for name, content in made.items()}
