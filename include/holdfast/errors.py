"""Errors, grouped by what the reader can do about them."""

from collections.abc import Mapping
from datetime import datetime


class HoldfastError(Exception):
    """Anything Holdfast says about itself; `exit_code` is what a command ends with."""

    exit_code = 1


class SpecError(HoldfastError):
    """The file or the arguments are wrong: fix them at `where`; `hint` names the nearest cure."""

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message, self.where, self.hint = message, where, hint
        super().__init__(
            ": ".join(p for p in (where, message) if p) + (f" ({hint})" if hint else "")
        )


class Postponed(HoldfastError):
    """The run may not start now; come back later, at `opens` if that is known.

    No fault was injected.
    """

    exit_code = 3

    def __init__(self, reason: str, *, opens: datetime | None = None) -> None:
        self.reason, self.opens = reason, opens
        super().__init__(reason)


class TooLate(Postponed):
    """The time of the run has passed: trying it again is of no use."""


class NotApproved(TooLate):
    """A person has said no, or nobody yes in time: another run has to be asked about."""


class SafetyError(HoldfastError):
    """The run was stopped as designed; `reading` is what the one who stopped it saw."""

    exit_code = 4

    def __init__(self, reason: str, reading: Mapping[str, object] | None = None) -> None:
        self.reason, self.reading = reason, dict(reading or {})
        super().__init__(reason)


class GuardTripped(SafetyError):
    """An objective was breached while the fault was active."""


class BudgetExhausted(SafetyError):
    """What was reserved for a fault was used up while it was active."""


class ApprovalRefused(SafetyError):
    """What is about to happen, or goes on, is not approved (any more)."""


class Stopped(SafetyError):
    """A person, or the loss of the guard's data, ended the run."""


class FaultError(HoldfastError):
    """The target refused; `target` says which."""

    def __init__(self, message: str, *, target: str = "") -> None:
        self.target = target
        super().__init__(f"{target}: {message}" if target else message)


class TransientFaultError(FaultError):
    """The target refused for now; trying again may work."""


class ResidueError(FaultError):
    """Something of a fault may still be there; page someone."""

    exit_code = 5

    def __init__(self, message: str, *, lease: str) -> None:
        self.lease = lease
        super().__init__(message, target=f"lease {lease}")


class CheckError(HoldfastError):
    """A check could not decide; its verdict is UNKNOWN."""


class EvidenceError(HoldfastError):
    """The evidence log cannot be trusted or written at `index`."""

    exit_code = 6

    def __init__(self, message: str, *, index: int | None = None) -> None:
        self.index = index
        super().__init__(message if index is None else f"record {index}: {message}")


class LogDownError(EvidenceError):
    """The evidence log takes no record now, whatever the record says."""
