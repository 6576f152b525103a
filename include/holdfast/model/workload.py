"""What a workload sends, as a suite or a person asks for it."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from holdfast.model.quantities import Duration, Frozen, Name, format_duration


class Isolation(StrEnum):
    """The level that its transactions ask for."""

    READ_COMMITTED = "read-committed"
    REPEATABLE_READ = "repeatable-read"
    SERIALIZABLE = "serializable"


class WorkloadSpec(Frozen):
    """Transactions that Holdfast itself sends while the suite runs; its history bears the name."""

    name: Name
    kind: str = Field(description="what it sends; holdfast workload --help names the kinds")
    postgres: str = Field("", description="connection id; its login may CREATE in the database")
    redis: str = Field("", description="connection id of a primary, in place of postgres")
    isolation: Isolation = Isolation.SERIALIZABLE
    rate: float = Field(50.0, ge=0.1, le=10_000, description="operations a second")
    clients: int = Field(8, ge=1, le=200, strict=True, description="sessions")
    seed: int = Field(1, strict=True, description="the same seed sends the same operations")
    pause: Duration = Field(
        timedelta(milliseconds=2), description="between the statements of a transaction"
    )
    synchronous: bool = Field(
        False, strict=True,
        description="postpone the run while a COMMIT does not wait for a standby",
    )

    @property
    def connection(self) -> str:
        """Whose data it writes to."""
        return self.postgres or self.redis

    def __str__(self) -> str:
        told = (f"{self.kind} on {self.connection}, {self.rate:g} a second from {self.clients} "
                "sessions")
        if self.redis:
            return told
        return (
            f"{told}, {self.isolation}, pause {format_duration(self.pause)}"
            + (", if a COMMIT waits for a standby" if self.synchronous else "")
        )
