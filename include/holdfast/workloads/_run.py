"""One run of a workload, from its schema to its history."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from holdfast.clients.connections import Connection
from holdfast.clients.postgres import Cluster
from holdfast.clock import Clock
from holdfast.errors import SpecError
from holdfast.history.about import About, write_about
from holdfast.history.recorder import Recorder
from holdfast.ports.workloads import Ended, Workload
from holdfast.registry import Registry
from holdfast.workloads._load import Load, Session
from holdfast.workloads._pace import Pace
from holdfast.workloads._redis import RedisSession, own_keys
from holdfast.workloads._redis_kinds import REDIS
from holdfast.workloads._schema import own_schema
from holdfast.workloads._session import Session as SqlSession

WORKLOADS: Registry[Callable[[Random], Workload]] = Registry("workloads", "WORKLOAD")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which workload, from which seed, how it is sent, and where its history goes."""

    kind: str
    seed: int
    pace: Pace
    history: Path


def run(
    asked: Asked, entry: Connection, stop: threading.Event, clock: Clock,
    begun: Callable[[], None] = lambda: None,
) -> Ended:
    """Send the workload until its time is over or `stop` is set, and read everything back.

    The history is a new file, with a side file that says how it is judged; it is whole after a
    SIGKILL too. `begun` is called when all is ready to send. SpecError if there is no such
    workload, no place to write to, or the history cannot be written.
    """
    workload = _kind(asked.kind, entry)(Random(asked.seed))  # noqa: S311 - a load, no secret
    with _place(entry, workload, clock) as open_, Recorder(asked.history, clock) as recorder:
        write_about(asked.history, About(
            workload=asked.kind, seed=asked.seed, clock="CLOCK_BOOTTIME",
            checker=workload.checker, options=dict(workload.options),
        ))
        load = Load(workload, open_, recorder, asked.pace, clock)
        begun()
        load.run(stop)
    return Ended(dict(load.outcomes), load.last, load.unread, load.is_told)


def _kind(name: str, entry: Connection) -> Callable[[Random], Workload]:
    if entry.type not in ("postgres", "redis"):
        raise SpecError(f"connection {entry.id} is of type '{entry.type}'",
                        hint="a workload wants a postgres or a redis")
    kind = WORKLOADS[name]
    if entry.type == "postgres":
        return kind
    if name not in REDIS:
        raise SpecError(f"a redis does not take the workload '{name}'",
                        where=f"connection {entry.id}", hint=f"{' or '.join(REDIS)}")
    return REDIS[name]


@contextmanager
def _place(
    entry: Connection, workload: Workload, clock: Clock
) -> Iterator[Callable[[Pace], Session]]:
    """Make what it writes to, and give what opens a client's session."""
    if entry.type == "redis":
        with own_keys(entry, clock) as prefix:
            yield lambda _: RedisSession(entry, prefix)
        return
    cluster = Cluster(entry)
    with own_schema(cluster, workload.tables, clock) as schema:
        yield lambda pace: SqlSession(cluster, schema, pace, clock)
