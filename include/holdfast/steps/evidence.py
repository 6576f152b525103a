"""Check a run's evidence where it is kept: records, tree, files, books."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import read_checkpoint
from holdfast.evidence.head import Head, check_head
from holdfast.evidence.keys import public_key
from holdfast.evidence.policy import Policy, read_policy
from holdfast.evidence.rotation import retired
from holdfast.evidence.trouble import Injection
from holdfast.evidence.trust import POLICY, Trust, origin_of, trust_of
from holdfast.evidence.verify import Checked, Evidence, compared, verify
from holdfast.model.lease import LeaseState
from holdfast.model.record import Record, Role
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.steps.catalogues import digests

_SIGNERS = (Role.RUNNER, Role.APPROVER, Role.LOG, Role.EXPORTER)


def check_run(
    ports: Ports, run_id: str, trust: Trust | None = None, records: Sequence[Record] | None = None
) -> Checked:
    """Verify a run, and hold the books' verdict against the signed one.

    `trust` is by default what the deployment says of itself; `records` the log to look at, by
    default the deployment's own.
    """
    believed = own_trust(ports) if trust is None else trust
    note, _ = ports.log.head()
    head = check_head(note, believed.policy, ports.clock.now()) if note else Head(None)
    evidence = Evidence(
        ports.notary.records() if records is None else records, head,
        _digests(ports, run_id), _injections(ports, run_id),
    )
    found = verify(evidence, run_id, believed.roles)
    return compared(found, run_id, ports.books.run(run_id))


def own_trust(ports: Ports) -> Trust:
    """Say which keys this deployment has, and which witnesses its own policy names."""
    note, _ = ports.log.head()
    keys = {role: public_key(ports.notary.public_key(role)) for role in _SIGNERS}
    origin = read_checkpoint(note)[0].origin if note else origin_of(keys[Role.LOG])
    former = retired(ports.notary.key_events(), keys[Role.RUNNER])
    own = trust_of(origin, keys, digests(), former)
    policy = read_own_policy(ports.settings)
    return own if policy is None else replace(own, policy=policy)


def read_own_policy(settings: Settings) -> Policy | None:
    """The policy in the deployment's trust folder; None where nobody has written one."""
    try:
        return read_policy((settings.trust / POLICY).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EvidenceError(f"{settings.trust / POLICY} cannot be read: {error}") from error


def _digests(ports: Ports, run: str) -> Callable[[str], str | None]:
    """Digests of the files as they are now, by name; what the list says of them is not asked."""
    paths = {a.name: ports.artefacts.path(a) for a in ports.artefacts.of(run)}

    def digest(name: str) -> str | None:
        try:
            return hashlib.sha256(paths[name].read_bytes()).hexdigest()
        except (KeyError, FileNotFoundError):
            return None

    return digest


def _injections(ports: Ports, run: str) -> list[Injection]:
    """When faults began, by the keepers' journals on this host."""
    found = []
    for lease in ports.leases.leases(run_id=run):
        try:
            lines = ports.journals.open(lease.id).lines()
        except (KeyError, EvidenceError):
            continue  # the sealed copy is checked by its digest
        begun = [line.boottime for line in lines if line.state is LeaseState.INJECTING]
        if begun:
            found.append(Injection(lease.id, lease.boot_id, round(begun[0] * 1000)))
    return found
