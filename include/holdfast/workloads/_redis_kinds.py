"""The kinds that a Redis takes: the same operations as on a PostgreSQL, each one command."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from holdfast.history.recorder import Refused
from holdfast.ports.workloads import Ask, Sent, Workload
from holdfast.workloads.register import Register
from holdfast.workloads.set import Set


class RedisSet(Set):
    """Elements of one set."""

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One command."""
        if sent.f == "read":
            return sorted(int(row[0]) for row in ask("SMEMBERS @elements"))
        ask("SADD @elements", sent.value)
        return sent.value


class RedisRegister(Register):
    """Fields of one hash."""

    def send(self, ask: Ask, sent: Sent) -> Any:
        """One command; a change that finds another value is refused."""
        key, value = sent.value
        if sent.f == "read":
            rows = ask("HGET @registers", key)
            return [key, int(rows[0][0]) if rows else None]
        if sent.f == "write":
            ask("HSET @registers", key, value)
        elif ask("CAS @registers", key, *value) != [(1,)]:
            raise Refused("it holds another value")
        return [key, value]


REDIS: Mapping[str, Callable[[Random], Workload]] = {"set": RedisSet, "register": RedisRegister}
