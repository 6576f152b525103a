"""The OSCAL documents that follow from the records of runs: same input, same bytes."""

import hashlib
from collections.abc import Iterable, Mapping

from holdfast.evidence.canonical import canonical
from holdfast.model.control import Control
from holdfast.model.record import Statement
from holdfast.oscal.closing import closed_risks
from holdfast.oscal.log import Basis, read_log, rlink
from holdfast.oscal.plan import plan
from holdfast.oscal.poam import poam
from holdfast.oscal.results import results
from holdfast.oscal.runs import runs_of
from holdfast.oscal.words import Json, uid

PLAN, RESULTS, POAM = "assessment-plan.json", "assessment-results.json", "poam.json"


def documents(
    records: Mapping[int, Statement], controls: Iterable[Control], origin: str, checkpoint: str
) -> Mapping[str, bytes]:
    """Give each document's canonical JSON by its file name.

    `records` are statements by their numbers in the log of this origin, `checkpoint` is a signed
    state of it that holds them all. OSCAL has no empty documents, so that without a run there is
    none, without one that has begun no results, and without a failure no plan of action.
    EvidenceError for a record or a checkpoint that cannot be read, or that do not belong together.
    """
    runs = runs_of(records, origin)
    if not runs:
        return {}
    log = read_log(origin, checkpoint, max(records))
    basis = Basis(log, {control.name: control for control in controls})
    made = {PLAN: canonical(plan(runs, basis))}
    if not any(run.way for run in runs):
        return made
    told = results(runs, basis, closed_risks(runs, basis), _resource(made[PLAN]))
    made[RESULTS] = canonical(told)
    failures = poam(runs, basis, told)
    return made if failures is None else {**made, POAM: canonical(failures)}


def _resource(content: bytes) -> Json:
    """Point from one document to another that lies beside it."""
    digest = hashlib.sha256(content).hexdigest()
    return {"uuid": uid("resource", PLAN, digest), "title": "The assessment plan",
            "rlinks": [rlink(PLAN, "application/json", digest)]}
