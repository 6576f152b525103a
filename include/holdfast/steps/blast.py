"""Say how much of the traffic each fault has hit."""

from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.safety.blast import judge_blast
from holdfast.safety.traffic import Counted
from holdfast.steps.book import run_of, write_finding
from holdfast.steps.traffic import rise_of, rises_of, whole_run, window


def blast(ports: Ports, run_id: str, suite: Suite) -> None:
    """Write a finding for each experiment whose fault was on; none without `traffic`."""
    if suite.traffic is None:
        return
    whole = whole_run(ports, run_of(ports, run_id))
    requests = rise_of(ports, suite.target.prometheus, suite.traffic.requests, whole)
    for step in suite.rounds:
        for experiment in step.experiments:
            found = _judged(ports, run_id, suite, experiment, requests)
            if found is not None:
                write_finding(ports, run_id, found)


def _judged(
    ports: Ports, run_id: str, suite: Suite, experiment: Experiment, requests: Counted
) -> Finding | None:
    leases = [
        lease for lease in ports.leases.leases(run_id=run_id)
        if lease.experiment == experiment.name and lease.is_touched
    ]
    if not leases or suite.traffic is None:
        return None
    windows = [within for lease in leases if (within := window(ports, lease)) is not None]
    if len(windows) < len(leases):
        text = "when the fault was on is not known: it ended as it began, or on another host"
        return Finding("blast_radius", Verdict.UNKNOWN, text, experiment.name)
    hit = rises_of(ports, suite.target.prometheus, suite.traffic.hit, windows)
    limit = experiment.blast_radius.within(suite.blast_radius).traffic
    return judge_blast(experiment.name, hit, requests, limit)
