"""The shapes of the retrieval API's answers, for its OpenAPI description."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _printable(text: str) -> str:
    """What is kept must be shown again; half a character could be shown to nobody."""
    if not text.isprintable():
        raise ValueError("it cannot be shown")
    return text


_Word = Annotated[str, Field(max_length=250), AfterValidator(_printable)]

_MOMENT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{1,15}(Z|[+-][0-9]{2}:[0-9]{2})?)?)?$"
_WHEN = "a date or time, ISO 8601, such as 2026-01-31 or 2026-01-31T08:00:00Z"


class Sought(BaseModel):
    """Which records; what is left out is not asked about."""

    model_config = ConfigDict(extra="forbid")

    run_id: str = Field("", max_length=250)
    suite: str = Field("", max_length=250)
    kind: str = Field("", max_length=50, description="such as result, plan, approval")
    control: str = Field("", max_length=250, description="such as dora:art-24.4; of results")
    service: str = Field("", max_length=250, description="of results")
    verdict: str = Field("", pattern="^(HELD|UNKNOWN|BROKEN)?$", description="of results")
    since: str = Field("", alias="from", pattern=_MOMENT, description=_WHEN)
    until: str = Field("", alias="to", pattern=_MOMENT, description=f"{_WHEN}; a date to its end")
    cursor: int = Field(-1, ge=-1, le=2**31 - 1, description="of the page before")
    limit: int = Field(100, ge=1, le=1000)


class Entry(BaseModel):
    """A record as a line of a list."""

    index: int = Field(description="its number in the log, from 0")
    run_id: str = Field(description="the run it is of; empty for the log's own")
    kind: str = Field(description="plan, approval, run-start, result, report or key-event")
    recorded_at: str = Field(description="ISO 8601, UTC")
    suite: str
    verdict: str = Field(description="of a result: HELD, UNKNOWN, BROKEN or postponed")


class Entries(BaseModel):
    """A page of records; `cursor` asks for the next, null on the last."""

    entries: list[Entry]
    cursor: int | None


class WholeEntry(Entry):
    """A record with what it says, and the signed bytes."""

    subjects: dict[str, str] = Field(description="SHA-256 in hex of files, by name")
    predicate: dict[str, Any]
    envelope: str = Field(description="DSSE, as JSON text: the leaf of the tree")


class Consistency(BaseModel):
    """The proof that the larger log begins with the smaller one."""

    first: int
    second: int
    hashes: list[str] = Field(description="hex, in the order of RFC 6962")


class StandingOf(BaseModel):
    """How one control stands for one service."""

    control: str
    title: str
    service: str
    state: str = Field(description="failing, stale, no-evidence, partial, evidenced, "
                                   "not-evidenceable or not-applicable")
    reason: str
    records: list[int]
    due: str | None


class Standings(BaseModel):
    """How controls stand. It supports evidence for them, and says of none that it is met."""

    framework: str
    days: int
    disclaimer: str
    standings: list[StandingOf]


class Trail(BaseModel):
    """All that there is of a run, and what a check of it finds now."""

    run: dict[str, str]
    records: list[dict[str, Any]]
    artefacts: list[dict[str, Any]]
    troubles: list[dict[str, str]]
    notes: list[str]


class Asked(BaseModel):
    """What an export is to tell of; what is left out asks for all."""

    since: str = Field("", pattern=_MOMENT, description=_WHEN)
    until: str = Field("", pattern=_MOMENT, description=f"{_WHEN}; a date to its end")
    frameworks: list[_Word] = Field([], max_length=50)
    services: list[_Word] = Field([], max_length=50)
    suites: list[_Word] = Field([], max_length=50)
    days: int = Field(365, ge=1, le=3650, description="evidence older than this is stale")


class ExportOf(BaseModel):
    """How an export stands."""

    id: str
    asked_by: str
    asked_at: str
    request: dict[str, Any]
    state: str = Field(description="queued, running, done or failed")
    detail: str
    size: int
