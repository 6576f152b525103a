"""Write a run's report in every form there is, and sign what was written."""

import logging
from collections.abc import Mapping

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.record import Statement
from holdfast.ports.bundle import Ports
from holdfast.ports.reports import CannotRender, Renderer
from holdfast.registry import Registry
from holdfast.reports._content import Report
from holdfast.steps.book import run_of, suite_of
from holdfast.steps.content import content
from holdfast.steps.cosign import show_newest
from holdfast.steps.seal import REPORT, REPORT_PREFIX

_log = logging.getLogger("holdfast.report")


def report(ports: Ports, run_id: str) -> str:
    """Keep the report as artefacts of the run and sign their digests; give the path of the page.

    Again, it writes it anew from what is known then; the same report is signed once. A form that
    this machine cannot write is left out, and the log says why. EvidenceError if it cannot be
    signed: the files stay.
    """
    told = content(ports, run_id)
    paths, digests = {}, {}
    for renderer in renderers().values():
        name = REPORT_PREFIX + renderer.suffix
        try:
            written = renderer.render(told)
        except CannotRender as error:
            _log.warning("%s of %s is left out: %s", name, run_id, error)
            continue
        kept = ports.artefacts.put(run_id, name, written, renderer.media_type)
        paths[renderer.suffix] = ports.artefacts.path(kept)
        digests[name] = kept.digest.removeprefix("sha256:")
    if digests != _signed(ports, run_id):
        told_of = {"run_id": run_id, "plan_digest": run_of(ports, run_id).plan_digest}
        ports.notary.append(run_id, Statement(REPORT, digests, told_of),
                            may_wait=suite_of(ports, run_id).compliance.may_wait)
    if unseen := show_newest(ports):
        _log.warning("the evidence of %s: %s", run_id, unseen)
    return str(paths["html"])


def renderers() -> Mapping[str, Renderer[Report]]:
    """Give what can be written, by what it is called in a command: html, json, junit, md, pdf."""
    found = Registry[Renderer[Report]]("reports", "RENDERER")
    return {one.suffix.partition(".")[0]: one for one in found.values()}


def render(ports: Ports, run_id: str, form: str) -> bytes:
    """Write one form from what is known now, and keep nothing. CannotRender as the form says."""
    return renderers()[form].render(content(ports, run_id))


def _signed(ports: Ports, run_id: str) -> Mapping[str, str]:
    """Give the digests in the latest signed report of the run; none if it has none to be read."""
    signed = [r for r in ports.notary.so_far(run_id) if r.predicate_type == REPORT]
    try:
        return statement_of(read(signed[-1].envelope)).subjects if signed else {}
    except EvidenceError:
        return {}  # a damaged record is found by verify; this report is signed anew
