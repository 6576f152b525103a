"""What a bundle was asked to tell of: a period, and which runs and frameworks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.errors import EvidenceError

DAYS = 365
_MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Request:
    """Runs with a record from `since` until `until`; empty tuples ask for all.

    `days` is how old evidence may be before it is stale.
    """

    since: datetime | None = None
    until: datetime | None = None
    frameworks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    days: int = DAYS

    def as_json(self) -> dict[str, object]:
        """Write it as a manifest does."""
        return {
            "since": "" if self.since is None else self.since.isoformat(),
            "until": "" if self.until is None else self.until.isoformat(),
            "frameworks": list(self.frameworks), "services": list(self.services),
            "suites": list(self.suites), "days": self.days,
        }

    def covers(self, moment: datetime) -> bool:
        """Say whether a record of that time is of the period."""
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment <= self.until)


def filters(request: Request) -> Sequence[str]:
    """What it asks for beside the period, to be read; empty for everything."""
    return [f"{name} {', '.join(values)}" for name, values in (
        ("frameworks", request.frameworks), ("services", request.services),
        ("suites", request.suites)) if values]


def read_request(told: object) -> Request:
    """Read it back; EvidenceError if it is none."""
    try:
        if not isinstance(told, Mapping) or type(told["days"]) is not int:
            raise TypeError(type(told).__name__)
        if not 1 <= told["days"] <= _MOST_DAYS:
            raise ValueError(f"{told['days']} days")
        since, until = (moment_of(told[n]) if told[n] else None for n in ("since", "until"))
        frameworks, services, suites = (
            tuple(map(str, told[n])) for n in ("frameworks", "services", "suites"))
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"not a request for a bundle: {error!r}") from error
    return Request(since, until, frameworks, services, suites, told["days"])


def moment_of(text: str) -> datetime:
    """Read a time as a manifest has it; ValueError if it says no time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} says no time zone")
    return moment


def read_moment(text: str, *, is_end: bool = False) -> datetime:
    """Read a date or a time (UTC where it says nothing); the end of a day is its last moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise EvidenceError(f"'{text}' is no date: write 2026-01-31 or 2026-01-31T08:00:00Z"
                            ) from error
    if is_end and len(text) == len("2026-01-31"):
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
