"""The mix of operations: mostly orders, some looking, some money moved, a little over TLS."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

NAMES = ("order", "browse", "transfer", "account", "secure")
_WEIGHTS = (70, 12, 13, 3, 2)
READER = "load"  # what the audit log knows the load by
_ITEMS, _ACCOUNTS = 8, 100


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the shop; `value` is what the history says of it."""

    f: str
    method: str
    path: str
    value: object
    body: dict[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def secure(self) -> bool:
        """Whether it is sent over TLS, on a connection of its own."""
        return self.f == "secure"


def pick(chance: Random) -> Request:
    """Draw the next request; every write has a key of its own."""
    name = chance.choices(NAMES, _WEIGHTS)[0]
    if name in ("browse", "secure"):
        return Request(name, "GET", "/products", None)
    if name == "account":
        path = f"/accounts/{chance.randint(1, _ACCOUNTS)}"
        return Request(name, "GET", path, None, headers={"X-Reader": READER})
    key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    if name == "order":
        body: dict[str, object] = {
            "key": key, "item": chance.randint(1, _ITEMS), "quantity": chance.randint(1, 3),
        }  # fmt: skip
        return Request(name, "POST", "/orders", key, body)
    source, target = chance.sample(range(1, _ACCOUNTS + 1), 2)
    body = {"key": key, "source": source, "target": target, "amount": chance.randint(1, 5)}
    return Request(name, "POST", "/transfers", body, body)
