"""A workload's place on a Redis, keys of its own, and its sessions: each command is one step."""

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from holdfast.clients import redis as client
from holdfast.clients.connections import Connection
from holdfast.clients.host import boot_id, host_name, start_time
from holdfast.clock import Clock
from holdfast.errors import FaultError, SpecError
from holdfast.history.recorder import Refused
from holdfast.ports.workloads import Ask, Unanswered

if TYPE_CHECKING:
    from redis.connection import Connection as Link

OWNERS = "holdfast_workloads"
"""A hash: the prefix of each workload's keys, and whose it is."""
NAMES = ("elements", "registers")
_CAS = """if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) return 1 end return 0"""
_AWAY_SECONDS, _PAUSE = 30.0, 0.5
_log = logging.getLogger("holdfast.workload")


class RedisSession:
    """Connected when it is needed, and again after any trouble.

    A statement is a command; a word that begins with @ is a key of this workload. `CAS @hash` sets
    a field if it holds what is expected.
    """

    def __init__(self, entry: Connection, prefix: str) -> None:
        self._entry, self._prefix = entry, prefix
        self._link: Link | None = None

    def transact(self, work: Callable[[Ask], Any]) -> Any:
        """Do it and give back what it gives.

        Refused if it surely did not happen: there was no session, or the server answered with an
        error. Unanswered if nobody knows.
        """
        import redis

        try:
            link = self._opened()
        except (redis.RedisError, OSError) as error:
            raise Refused(str(error)) from error
        try:
            return work(self._ask(link))
        except redis.ResponseError as error:
            raise Refused(str(error)) from error
        except (redis.RedisError, OSError) as error:
            self.close()
            raise Unanswered(str(error)) from error

    def close(self) -> None:
        """Hang up."""
        link, self._link = self._link, None
        if link is not None:
            link.disconnect()

    def _opened(self) -> "Link":
        if self._link is None:
            link = client.link(self._entry)
            link.connect()
            self._link = link
        return self._link

    def _ask(self, link: "Link") -> Ask:
        def ask(statement: str, *values: object) -> list[tuple[Any, ...]]:
            words = [self._prefix + w[1:] if w[0] == "@" else w for w in statement.split()]
            if words[0] == "CAS":
                words = ["EVAL", _CAS, "1", *words[1:]]
            answer = client.ask(link, *words, *values)
            if answer is None:
                return []
            return [(one,) for one in answer] if isinstance(answer, list) else [(answer,)]

        return ask


@contextmanager
def own_keys(entry: Connection, clock: Clock) -> Iterator[str]:
    """A prefix for the keys of one workload; its keys are dropped in the end, whatever happened.

    Those of workloads that were killed since this host started are dropped first. SpecError with
    the cure if nothing can be written.
    """
    prefix = f"holdfast_workload_{secrets.token_hex(4)}:"
    owner = {"host": host_name(), "boot": boot_id(), "pid": os.getpid(),
             "start": start_time(os.getpid())}
    try:
        with client.connected(entry) as link:
            _sweep(link)
            client.ask(link, "HSET", OWNERS, prefix, json.dumps(owner))
    except FaultError as error:
        raise SpecError(
            f"the workload has no place to write to: {error}", where=f"connection {entry.id}",
            hint="the primary's address, and a login that may write",
        ) from error
    try:
        yield prefix
    finally:
        _drop_patiently(entry, prefix, clock)


def _sweep(link: "Link") -> None:
    owners = client.ask(link, "HGETALL", OWNERS)
    pairs = owners if isinstance(owners, list) else []
    for prefix, owner in zip(pairs[::2], pairs[1::2], strict=True):
        if _is_dead(owner):
            _log.info("keys %s of a workload that was killed are dropped", prefix)
            _drop(link, prefix)


def _is_dead(owner: str) -> bool:
    """Only where it surely is: there is no lock that a clone of this host would hold."""
    try:
        told = json.loads(owner)
        here = (told["host"], told["boot"]) == (host_name(), boot_id())
        return here and start_time(told["pid"]) != told["start"]
    except (ValueError, KeyError, TypeError):
        return False


def _drop(link: "Link", prefix: str) -> None:
    client.ask(link, "UNLINK", *(prefix + name for name in NAMES))
    client.ask(link, "HDEL", OWNERS, prefix)


def _drop_patiently(entry: Connection, prefix: str, clock: Clock) -> None:
    until = clock.boottime() + _AWAY_SECONDS
    while True:
        try:
            with client.connected(entry) as link:
                _drop(link, prefix)
            return
        except FaultError as error:
            if clock.boottime() >= until:
                raise SpecError(f"keys {prefix}* are left: {error}",
                                where=f"connection {entry.id}",
                                hint="the next workload on this host drops them") from error
            clock.sleep(_PAUSE)
