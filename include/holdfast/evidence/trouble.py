"""What a check of the evidence is about: a fault's beginning, and what is wrong, to be quoted."""

from collections.abc import Iterable
from dataclasses import dataclass

_EXITS = {
    2: ("E_UNSAFE_PATH", "E_LIMIT", "E_NOT_A_BUNDLE"),
    3: ("E_NO_RESULT", "E_NO_RUN", "E_ARTEFACT_MISSING", "E_ENTRY_MISSING", "E_RANGE_INCOMPLETE",
        "E_NOT_IN_LOG"),
    4: ("E_LOG_TRUNCATED", "E_STALE_BUNDLE", "E_STALE_CHECKPOINT"),
    5: ("E_QUORUM", "E_UNTRUSTED_SIGNER", "E_KEY_NOT_VALID_AT_TIME", "E_ORIGIN",
        "E_CATALOG_NOT_TRUSTED", "E_FUTURE_COSIGNATURE", "E_FUTURE_BUNDLE",
        "E_FUTURE_RECORD", "E_NO_TRUST", "E_UNKNOWN_KIND", "E_VERIFIER_VERSION"),
    6: ("GAP",),
}
_EXIT_OF = {code: number for number, codes in _EXITS.items() for code in codes}
_GRAVEST_FIRST = (2, 1, 5, 4, 3, 6)


@dataclass(frozen=True, slots=True)
class Injection:
    """When a fault began, on the clock since boot of one host."""

    lease_id: str
    boot_id: str
    boottime_ms: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A code, the object it concerns, what was expected and found, and what that means."""

    code: str
    where: str
    expected: str
    found: str
    meaning: str

    @property
    def exit_code(self) -> int:
        """What the command ends with for this alone.

        1 changed, 2 not to be read, 3 incomplete, 4 stale or cut back, 5 trust not met, 6 a control
        without fresh evidence.
        """
        return _EXIT_OF.get(self.code, 1)

    def __str__(self) -> str:
        return (
            f"{self.code} {self.where}: {self.meaning} "
            f"(expected {self.expected}, found {self.found})"
        )


def exit_code(troubles: Iterable[Trouble]) -> int:
    """The gravest of them all; 0 for none."""
    found = {trouble.exit_code for trouble in troubles}
    return next((code for code in _GRAVEST_FIRST if code in found), 0)
