"""Write a run's report in every form there is, and sign what was written."""

from collections.abc import Mapping

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.record import Statement
from holdfast.ports.bundle import Ports
from holdfast.ports.reports import Renderer
from holdfast.registry import Registry
from holdfast.reports._content import Report
from holdfast.steps.book import run_of
from holdfast.steps.content import content
from holdfast.steps.seal import REPORT, REPORT_PREFIX


def report(ports: Ports, run_id: str) -> str:
    """Keep the report as artefacts of the run and sign their digests; give the path of the page.

    Again, it writes it anew from what is known then; the same report is signed once. EvidenceError
    if it cannot be signed: the files stay.
    """
    told = content(ports, run_id)
    renderers = Registry[Renderer[Report]]("reports", "RENDERER")
    paths, digests = {}, {}
    for renderer in renderers.values():
        name = REPORT_PREFIX + renderer.suffix
        kept = ports.artefacts.put(run_id, name, renderer.render(told), renderer.media_type)
        paths[renderer.suffix] = ports.artefacts.path(kept)
        digests[name] = kept.digest.removeprefix("sha256:")
    if digests != _signed(ports, run_id):
        told_of = {"run_id": run_id, "plan_digest": run_of(ports, run_id).plan_digest}
        ports.notary.append(run_id, Statement(REPORT, digests, told_of))
    return str(paths["html"])


def _signed(ports: Ports, run_id: str) -> Mapping[str, str]:
    """Give the digests in the latest signed report of the run; none if it has none to be read."""
    signed = [r for r in ports.notary.records(run_id) if r.predicate_type == REPORT]
    try:
        return statement_of(read(signed[-1].envelope)).subjects if signed else {}
    except EvidenceError:
        return {}  # a damaged record is found by verify; this report is signed anew
