"""What a history says about how many operations were well."""

from collections.abc import Iterable

from holdfast.model.operation import Operation
from holdfast.ports.mechanisms import Watched


def share_ok(operations: Iterable[Operation], watched: Watched) -> float | None:
    """The share that was ok, of all that were meant to be sent while the fault was on.

    None if there were none. One that is still open when the watch ends was not ok.
    """
    meant = [o for o in operations if watched.injected <= o.intended < watched.reverted]
    return sum(o.outcome == "ok" for o in meant) / len(meant) if meant else None
