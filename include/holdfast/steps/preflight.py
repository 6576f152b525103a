"""Say whether a run may start now, before anything is locked or touched."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.clients import processes
from holdfast.clients.connections import connection
from holdfast.errors import FaultError, Postponed, SpecError, Stopped
from holdfast.model.run import RunState
from holdfast.model.suite import Suite
from holdfast.plan.plan import STEADY_WAIT
from holdfast.ports.bundle import Ports
from holdfast.safety.conditions import conditions
from holdfast.steps import indicate
from holdfast.steps.book import fault_of, run_of, suite_entry, suite_of, told_to_stop
from holdfast.steps.janitor import sweep
from holdfast.steps.windows import closed
from holdfast.steps.workloads import cannot_begin


def preflight(ports: Ports, run_id: str) -> None:
    """Pass, or raise Postponed with every reason at once.

    What a dead keeper left behind is reverted first; what is left of it then is a reason.
    EvidenceError if the signing key cannot be used: without evidence there is no fault. Stopped
    if somebody has stopped the run, which may have waited before.
    """
    if why := told_to_stop(ports, run_of(ports, run_id)):
        raise Stopped(why)
    ports.notary.public_key()
    sweep(ports)
    suite = suite_of(ports, run_id)
    _give_back(ports, suite.target.environment)
    checks = (
        _file_changed(suite_entry(ports, run_id)),
        _environment_taken(ports, suite, run_id),
        _leases_open(ports, suite, run_id),
        _targets_missing(ports, suite),
        _guard_hit(ports, suite),
        _histories_missing(ports, suite),
        cannot_begin(ports, suite),
        _objectives_blind(ports, suite),
    )
    reasons = [reason for check in checks for reason in check]
    first = next(step for step in suite.rounds if step.experiments)
    shut = closed(ports, suite, first, suite.baseline.window + STEADY_WAIT)
    if shut is not None:
        raise Postponed("; ".join([shut.text, *reasons]), opens=shut.opens)
    if reasons:
        raise Postponed("; ".join(reasons))


def _give_back(ports: Ports, environment: str) -> None:
    """Unlock what a run that has ended could not give back, because it was not clean then."""
    holder = ports.leases.environment(environment).locked_by
    run = ports.books.run(holder) if holder else None
    if run is not None and run.state is not RunState.STARTED:
        ports.leases.unlock(environment, holder)


def _file_changed(entry: dict[str, object]) -> Iterator[str]:
    file = Path(str(entry["file"]))
    try:
        digest = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        yield f"the suite file {file.name} cannot be read: {error.strerror}"
        return
    if digest != entry["digest"]:
        yield f"the suite file {file.name} has changed since the plan was made"


def _environment_taken(ports: Ports, suite: Suite, run_id: str) -> Iterator[str]:
    there = ports.leases.environment(suite.target.environment)
    if there.hold:
        yield f"environment {there.name} is held: {there.hold}"
    if there.locked_by not in ("", run_id):
        yield f"environment {there.name} is busy: run {there.locked_by} has it"


def _leases_open(ports: Ports, suite: Suite, run_id: str) -> Iterator[str]:
    """Leases of this very run are from a task that was cleared; `arm` closes them."""
    for lease in ports.leases.leases(environment=suite.target.environment, open_only=True):
        if lease.run_id != run_id:
            yield f"lease {lease.id} of run {lease.run_id} is {lease.state}, not clean"


def _targets_missing(ports: Ports, suite: Suite) -> Iterator[str]:
    for step in suite.rounds:
        for experiment in step.experiments:
            driver = ports.drivers[experiment.fault.type]
            try:
                if not driver.targets(fault_of(ports, suite, experiment)):
                    yield f"{experiment.name}: there is nothing to hit"
            except (FaultError, SpecError) as error:  # SpecError: no such connection now
                yield f"{experiment.name}: {error}"


def _guard_hit(ports: Ports, suite: Suite) -> Iterator[str]:
    """A tree of processes to hit must not hold the Prometheus that watches the fault."""
    asked = indicate.needs_prometheus(suite)
    port = _loopback_port(ports, suite.target.prometheus) if asked else None
    table = processes.table() if port else {}
    for step in suite.rounds:
        for experiment in step.experiments:
            fault = experiment.fault
            pattern = suite.target.services[fault.target].process
            kind = getattr(ports.drivers[fault.type], "address", "")
            if not port or not pattern or kind != "process":
                continue
            tree = processes.tree(_pids(ports.settings.home, pattern), table)
            if processes.listeners([p.pid for p in tree], port):
                yield f"{experiment.name}: the target carries the guard's own Prometheus"


def _loopback_port(ports: Ports, connection_id: str) -> int | None:
    """Where the guard's Prometheus listens if it is on this host; else nothing here is it."""
    try:
        url = urlsplit(connection(ports.settings.connections, connection_id).url)
    except SpecError:
        return None  # `_objectives_blind` says so
    host = url.hostname or ""
    is_here = host in ("localhost", "::1") or host.startswith("127.")
    return (url.port or (443 if url.scheme == "https" else 80)) if is_here else None


def _pids(home: Path, pattern: str) -> list[int]:
    """What the pid files hold; one that holds none is for the driver to refuse."""
    files = (file for file in home.glob(pattern) if file.is_file())
    texts = (file.read_text(errors="replace").strip() for file in files)
    return [int(text) for text in texts if re.fullmatch(r"[0-9]{1,9}", text)]


def _histories_missing(ports: Ports, suite: Suite) -> Iterator[str]:
    named = {item.history for item in suite.consistency if item.history}
    for name in sorted(named & set(suite.target.histories)):
        file = suite.target.histories[name].file
        if not (ports.settings.home / file).is_file():
            yield f"history {name} has no file {file}: is the workload running?"


def _objectives_blind(ports: Ports, suite: Suite) -> Iterator[str]:
    if indicate.needs_prometheus(suite):
        try:
            ports.metrics(suite.target.prometheus)
        except SpecError as error:
            yield f"Prometheus: {error}"
            return
    for objective in suite.objectives:
        sample = indicate.now(ports, suite, objective)
        if sample.value is None:
            yield f"objective {objective.name} has no data: {sample.why}"
    yield from _burn_rates_blind(ports, suite)


def _burn_rates_blind(ports: Ports, suite: Suite) -> Iterator[str]:
    """A window that has no data now would only be found out by the guard."""
    asked = {
        (c.name, query): None for step in suite.rounds for e in step.experiments
        for c in conditions(suite, e) for query in c.over
    }
    for name, query in asked:
        sample = ports.metrics(suite.target.prometheus).now(query)
        if sample.value is None:
            yield f"objective {name} has no data for its burn rate: {sample.why} ({query})"
