"""What a check of the evidence is about: a fault's beginning, and what is wrong, to be quoted."""

from dataclasses import dataclass

_MISSING = frozenset({"E_NO_RESULT", "E_NO_RUN", "E_ARTEFACT_MISSING"})


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
    def only_missing(self) -> bool:
        """Whether something is not there, rather than changed."""
        return self.code in _MISSING

    def __str__(self) -> str:
        return (
            f"{self.code} {self.where}: {self.meaning} "
            f"(expected {self.expected}, found {self.found})"
        )
