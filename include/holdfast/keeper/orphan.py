"""What the child does when the parent is gone or silent: make sure it is gone, then revert."""

import os
import select
import signal

from holdfast.clients.host import start_time
from holdfast.keeper.parent import say
from holdfast.model.lease import End
from holdfast.steps.adopt import Estate, adopt

GONE_SECONDS = 5.0
CLAIM_SECONDS = 3.0
_PAUSE = 0.05


def finish(estate: Estate, lease_id: str, parent: tuple[int, int]) -> None:
    """Kill what is left of the parent, take over its claim, revert.

    If somebody else has the claim by then, they revert.
    """
    _make_gone(*parent)
    until = estate.clock.boottime() + CLAIM_SECONDS
    while estate.clock.boottime() < until:
        with estate.journals.claim(lease_id) as ours:
            if ours:
                say(f"the parent is gone: {adopt(estate, lease_id, End.PARENT_DIED, 'the child')}")
                return
        estate.clock.sleep(_PAUSE)
    say("the parent is gone, but somebody else has the claim")


def _make_gone(pid: int, started: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if start_time(pid) == started:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], GONE_SECONDS)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
