"""Judge a run by its findings: the worst one wins, and what was never tried is unknown."""

from collections.abc import Iterable, Mapping, Sequence

from holdfast.model.lease import Lease, LeaseState
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.book import findings, suite_of


def judge(ports: Ports, run_id: str) -> Verdict:
    """Give the run's verdict as the books and leases are now."""
    return Verdict.worst(judged(ports, run_id).values())


def judged(ports: Ports, run_id: str) -> Mapping[str, Verdict]:
    """Give the verdict of each chosen experiment by name; the run's own checks are under ''."""
    suite = suite_of(ports, run_id)
    chosen = [e.name for step in suite.rounds for e in step.experiments]
    return verdicts(findings(ports, run_id), chosen, ports.leases.leases(run_id=run_id))


def verdicts(
    found: Sequence[Finding], chosen: Iterable[str], leases: Iterable[Lease] = ()
) -> dict[str, Verdict]:
    """Join findings by experiment.

    An experiment without a finding `fault` never ran: UNKNOWN at best. One whose lease is not
    clean may still be hurting the target: BROKEN.
    """
    by_name: dict[str, list[Verdict]] = {name: [] for name in chosen}
    for finding in found:
        by_name.setdefault(finding.experiment, []).append(finding.verdict)
    ran = {f.experiment for f in found if f.name == "fault"}
    for name, own in by_name.items():
        if name and name not in ran:
            own.append(Verdict.UNKNOWN)
    for lease in leases:
        if lease.state is not LeaseState.CLEAN:
            by_name.setdefault(lease.experiment, []).append(Verdict.BROKEN)
    return {name: Verdict.worst(own) for name, own in by_name.items()}
