"""Show in the store what a lease's journal says."""

from collections.abc import Mapping

from holdfast.model.lease import MOVES, LeaseState
from holdfast.ports.leases import LeaseStore

FACTS = ("ended", "detail", "widest_gap", "injected_at", "reverted_at", "clean_at")
"""The facts of a journal that the row has a place for."""


def mirror(
    leases: LeaseStore, lease_id: str, state: LeaseState, facts: Mapping[str, object]
) -> bool:
    """Bring the row to `state` along MOVES, however far behind it is; False if no way leads there.

    KeyError if there is no row.
    """
    kept = {name: facts[name] for name in FACTS if facts.get(name) is not None}
    now = leases.read(lease_id).state
    if now is state:
        return True
    way = path(now, state)
    return bool(way) and all(leases.move(lease_id, step, **kept) for step in way)


def path(start: LeaseState, end: LeaseState) -> tuple[LeaseState, ...]:
    """The shortest way along MOVES, without its start; empty if there is none."""
    ways: list[tuple[LeaseState, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for after in sorted(MOVES[way[-1]] - seen):
            if after is end:
                return (*way, after)[1:]
            seen.add(after)
            ways.append((*way, after))
    return ()
