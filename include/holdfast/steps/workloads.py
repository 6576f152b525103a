"""Have the suite's workloads sent while its faults are on, and say what their ends leave open."""

import logging
from collections.abc import Iterator
from typing import Any

from holdfast.clients import redis
from holdfast.clients.connections import connection
from holdfast.clients.postgres import cluster
from holdfast.errors import FaultError, Postponed, SpecError
from holdfast.model.suite import Suite
from holdfast.model.workload import WorkloadSpec
from holdfast.ports.bundle import Ports
from holdfast.steps.book import plan_of, suite_of

FEWEST = 10
"""Operations that must have been acknowledged for anything to be said."""
_TASKS_SECONDS = 60.0
"""What the tasks of a run may need beside what its plan counts, before they are checked."""
_TASK_SECONDS = 15.0
"""What the tasks of each further fault may need."""
_log = logging.getLogger("holdfast.workload")


def start_workloads(ports: Ports, run_id: str) -> None:
    """Begin each anew; Postponed, with none left running, if one does not begin.

    Each ends by itself when the run takes longer than its plan says at worst.
    """
    suite = suite_of(ports, run_id)
    if not suite.target.workloads:
        return
    ports.workloads.stop(run_id)
    planned: Any = plan_of(ports, run_id)
    seconds = planned["worst_case_ms"] / 1000 + _TASKS_SECONDS
    seconds += _TASK_SECONDS * len(planned["experiments"])
    for spec in suite.target.workloads:
        try:
            ports.workloads.start(run_id, spec, seconds)
        except FaultError as error:
            ports.workloads.stop(run_id)
            raise Postponed(f"{error}") from error


def stop_workloads(ports: Ports, run_id: str | None) -> None:
    """Have each of a run read all back and end; one that does not go leaves its history in doubt.

    Without a run those of all runs.
    """
    try:
        ports.workloads.stop(run_id)
    except FaultError as error:
        _log.warning("%s", error)


def doubts(ports: Ports, run_id: str, name: str) -> list[str]:
    """Say why a workload's history, though nothing is wrong in it, proves nothing."""
    ended = ports.workloads.ended(run_id, name)
    if ended is None:
        return ["the workload died before it was stopped"]
    if ended.error:
        return [f"the workload could not go on: {ended.error}"]
    found = []
    if not ended.is_told:
        found.append("the workload ended by itself before the rounds were over")
    if ended.unread:
        found.append(f"{ended.unread} of its {ended.last} last reads were not answered")
    if (acknowledged := ended.outcomes.get("ok", 0)) < FEWEST:
        found.append(f"{acknowledged} operations were acknowledged, at least {FEWEST} are needed")
    return found


def cannot_begin(ports: Ports, suite: Suite) -> Iterator[str]:
    """Say of each workload why it would not begin now, with the cure."""
    for spec in suite.target.workloads:
        try:
            yield from _lacking(ports, spec)
        except (FaultError, SpecError) as error:
            yield f"workload {spec.name}: {error}"


def _lacking(ports: Ports, spec: WorkloadSpec) -> Iterator[str]:
    if spec.redis:
        yield from _lacking_redis(ports, spec)
        return
    nodes = cluster(str(ports.settings.home), spec.postgres)
    primary = nodes.primary()
    (may, waits), = nodes.ask(
        primary, "SELECT has_database_privilege(current_database(), 'CREATE'), "
        "current_setting('synchronous_standby_names')")
    if not may:
        yield (f"workload {spec.name}: the login of {spec.postgres} may not CREATE in the database "
               "(GRANT CREATE ON DATABASE d TO login)")
    if spec.synchronous and not waits:
        yield (f"workload {spec.name}: {nodes.named(primary)} does not wait for a standby "
               "(set synchronous_standby_names, and have that standby stream)")


def _lacking_redis(ports: Ports, spec: WorkloadSpec) -> Iterator[str]:
    entry = connection(ports.settings.connections, spec.redis)
    if entry.type != "redis":
        yield (f"workload {spec.name}: connection {spec.redis} is of type '{entry.type}' "
               f"(holdfast connect {spec.redis} redis://HOST:PORT)")
        return
    with redis.connected(entry) as link:
        if not redis.takes_writes(link):
            yield f"workload {spec.name}: {spec.redis} is a replica (connect its primary)"
