"""Records that were signed while the log was down, and reached it later. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from holdfast.evidence.log import Place, place_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import Statement

MODE, BUFFER = "log_down", "buffer"
"""What a plan says of a suite that lets its records wait."""


@dataclass(frozen=True, slots=True)
class Late:
    """When it was signed, on two clocks of that host; why it waited; its name in the spool."""

    signed_at: str
    boottime_ms: int
    boot_id: str
    why: str
    name: str

    @property
    def moment(self) -> datetime:
        """When it was signed."""
        return datetime.fromisoformat(self.signed_at)


def delayed(statement: Statement, late: Late) -> Statement:
    """Take a statement out of the spool: its place there becomes the mark that it was late."""
    told = {key: value for key, value in statement.predicate.items() if key != "log"}
    return replace(statement, predicate={**told, "late": asdict(late)})


def late_of(statement: Statement) -> Late | None:
    """Read the mark; None if there is none, or none that can be read."""
    told = statement.predicate.get("late")
    if not isinstance(told, Mapping) or set(told) != {f.name for f in fields(Late)}:
        return None
    if not all(isinstance(v, int if k == "boottime_ms" else str) for k, v in told.items()):
        return None
    late = Late(**told)
    try:
        return late if late.moment.tzinfo is not None else None
    except ValueError:
        return None


def signed_when(statement: Statement) -> Place | None:
    """The record's place, with the times at which it was signed."""
    place, late = place_of(statement), late_of(statement)
    if place is None or late is None:
        return place
    return replace(place, recorded_at=late.signed_at, boottime_ms=late.boottime_ms,
                   boot_id=late.boot_id)


def check_late(statements: Mapping[int, Statement], plan_type: str) -> Iterator[Trouble | str]:
    """A note for each late record of a run; a trouble where its plan lets none be late."""
    may = False
    for index, statement in sorted(statements.items()):
        where, place = f"record {index}", place_of(statement)
        if statement.predicate_type == plan_type:
            may = statement.predicate.get(MODE) == BUFFER
        if "late" not in statement.predicate or place is None:
            continue
        late = late_of(statement)
        if late is None or late.moment > place.moment or (
                late.boot_id == place.boot_id and late.boottime_ms > place.boottime_ms):
            yield Trouble("E_LATE_RECORD", where, "signed before it reached the log",
                          str(statement.predicate["late"])[:200], "its mark cannot be true")
        elif not may:
            yield Trouble("E_LATE_RECORD", where, "in the log before the run went on",
                          f"signed at {late.signed_at}, in the log at {place.recorded_at}",
                          "the plan does not let the run go on while the log is down")
        else:
            seconds = (place.moment - late.moment).total_seconds()
            yield (f"record {index} was signed at {late.signed_at} and reached the log "
                   f"{seconds:.0f} s later: until then only the deployment vouches for it "
                   f"({late.why})")
