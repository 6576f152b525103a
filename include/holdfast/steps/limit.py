"""The time limit and the one error border around every call of a fault driver."""

import threading
from collections.abc import Callable
from typing import TypeVar

from holdfast.errors import FaultError, HoldfastError, TransientFaultError

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], what: str) -> T:
    """Give back what `call` does, or raise a HoldfastError: its own, or one around what it threw.

    A call that does not return in time is left behind in its thread. That is safe for `revert` and
    `residue`, which may be repeated at any time; `inject` runs in a process that can be killed.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(call())
        except BaseException as error:  # noqa: BLE001 - carried over to the caller
            failed.append(error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as no_thread:
        raise TransientFaultError(f"{what} could not be started: {no_thread}") from no_thread
    thread.join(seconds)
    if done:
        return done[0]
    if not failed:
        raise TransientFaultError(f"{what} did not return within {seconds:g} s")
    if isinstance(failed[0], HoldfastError):
        raise failed[0]
    error = failed[0]
    raise FaultError(f"{what} failed: {type(error).__name__}: {error}") from error
