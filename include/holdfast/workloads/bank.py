"""Transfers between accounts, and reads of all balances: money is neither made nor lost."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, LiteralString

from holdfast.history.recorder import Refused
from holdfast.ports.workloads import Ask, Sent

_ACCOUNTS = 8
_EACH = 100


class Bank:
    """Eight accounts of 100; a transfer reads both balances and writes both, as applications do."""

    stores: Sequence[str] = ("postgres",)
    checker = "bank"
    also: Sequence[str] = ()
    options: Mapping[str, Any] = {"total": _ACCOUNTS * _EACH}
    tables: Sequence[LiteralString] = (
        "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL)",
        "INSERT INTO accounts SELECT n, 100 FROM generate_series(0, 7) AS n",
    )

    def __init__(self, random: Random) -> None:
        self._random = random

    def next(self) -> Sent:
        """Three transfers for each read."""
        if self._random.random() < 0.25:
            return Sent("read", None)
        source, target = self._random.sample(range(_ACCOUNTS), 2)
        amount = self._random.randint(1, 5)
        return Sent("transfer", {"from": source, "to": target, "amount": amount})

    def send(self, ask: Ask, sent: Sent) -> Any:
        """A transfer that would overdraw is refused."""
        if sent.f == "read":
            return {str(one): balance for one, balance in ask("SELECT id, balance FROM accounts")}
        balance = dict[int, int]()
        for end in ("from", "to"):
            rows = ask("SELECT balance FROM accounts WHERE id = %s", sent.value[end])
            if not rows:
                raise Refused("the account is gone")
            balance[sent.value[end]] = rows[0][0]
        balance[sent.value["from"]] -= sent.value["amount"]
        balance[sent.value["to"]] += sent.value["amount"]
        if balance[sent.value["from"]] < 0:
            raise Refused("it would overdraw the account")
        for one, left in sorted(balance.items()):  # in one order: no deadlocks
            ask("UPDATE accounts SET balance = %s WHERE id = %s", left, one)
        return sent.value

    def last(self) -> Sequence[Sent]:
        """All balances."""
        return [Sent("read", None)]


WORKLOAD = Bank
