"""Make a bundle of evidence for somebody outside, and the trust folder that goes another way."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from holdfast.audit.make import Source, make, sha256_of, write_zip
from holdfast.audit.request import Request
from holdfast.audit.told import Told
from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import checkpoint_of
from holdfast.evidence.note import read_note
from holdfast.evidence.trust import POLICY, ROLES, Trust, policy_text
from holdfast.model.record import Role
from holdfast.ports.bundle import Ports
from holdfast.ports.reports import CannotRender
from holdfast.spec.excluded import load_excluded
from holdfast.steps.catalogues import catalogue, contents
from holdfast.steps.cosign import show_newest, show_until
from holdfast.steps.evidence import own_trust

_log = logging.getLogger("holdfast.export")


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into a bundle; `missing` names files of runs that are no longer there."""

    told: Told
    files: int
    size: int
    missing: tuple[str, ...]


def export(ports: Ports, request: Request, path: Path) -> Exported:
    """Write the bundle to `path`: the same request and head give the same bytes.

    EvidenceError if the log is empty, or has a record that cannot be read.
    """
    ports.notary.sign_head()
    until = request.until
    if unseen := show_newest(ports) or (show_until(ports, until) if until else ""):
        _log.warning("%s", unseen)
    note, at = ports.log.head()
    if not note:
        raise EvidenceError("the log is empty: there is nothing to export; run a suite first")
    head = read_note(note)
    source = Source(
        records=ports.notary.records()[:checkpoint_of(head).size],  # it may have grown since
        head=head, at=_as_of(at, request, ports.clock.now()),
        trust=own_trust(ports), catalogues=contents(),
        excluded=load_excluded(ports.settings.experiments, catalogue()),
        files=lambda told: _kept(ports, told), draw=_draw,
    )
    made = make(source, request)
    write_zip(path, made.contents, ports.notary.sign(made.manifest.statement(), Role.EXPORTER))
    return Exported(made.told, len(made.contents) + 1, path.stat().st_size, tuple(made.missing))


def _as_of(at: str, request: Request, now: datetime) -> datetime:
    """When the head was signed; where a period has ended since, its end: it is the head still."""
    signed = datetime.fromisoformat(at)
    return max(signed, request.until) if request.until and request.until <= now else signed


def write_trust(ports: Ports, folder: Path) -> Trust:
    """Write the policy and the roles for whoever checks; the deployment's own policy is copied."""
    trust = own_trust(ports)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / POLICY).write_bytes(policy_text(trust.policy))
    (folder / ROLES).write_bytes(trust.roles.as_json())
    return trust


def _kept(ports: Ports, told: Told) -> Mapping[str, Path | bytes]:
    """The files of runs by what they are now, not by what a list says of them."""
    paths = [ports.artefacts.path(a) for run in told.runs for a in ports.artefacts.of(run.run_id)]
    return {sha256_of(path): path for path in paths if path.exists()}


def _draw(html: bytes) -> bytes | None:
    from holdfast.reports._drawn import drawn

    try:
        return drawn(html.decode())
    except CannotRender as error:
        _log.warning("the bundle has no PDF of its report: %s", error)
        return None
