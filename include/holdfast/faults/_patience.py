"""Trying again while a target's control is just restarting."""

import time
from collections.abc import Callable

from holdfast.errors import TransientFaultError

SECONDS = 5.0
_PAUSE = 0.2


def patiently(act: Callable[[], None]) -> None:
    """Do it; a target that refuses for now is asked again for a while."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            return act()
        except TransientFaultError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
