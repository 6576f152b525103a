"""The mechanisms that keep the shop up; each can be left out, to see what it is there for."""

from collections.abc import Iterable
from difflib import get_close_matches

from shop.errors import ShopError

MECHANISMS = {
    "breaker": "orders stop asking a payment service that fails",
    "timeout": "no attempt at a payment takes longer than 300 ms",
    "retry": "a payment that failed is tried again, after a growing pause",
    "fallback": "an order is taken without its payment, which is collected later",
    "pool-check": "a database connection that broke is never handed out again",
    "health-check": "HAProxy takes an API that does not answer out of its rotation",
}


def checked(names: Iterable[str]) -> frozenset[str]:
    """Mechanisms to leave out, by name; ShopError names the nearest for one that is unknown."""
    wanted = frozenset(names)
    for name in sorted(wanted - set(MECHANISMS)):
        near = get_close_matches(name, MECHANISMS, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ShopError(f"unknown mechanism {name!r}; {hint}known: {', '.join(MECHANISMS)}")
    return wanted
