"""Whether records can have been made when they say: not after they were seen. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from holdfast.evidence.head import Head
from holdfast.evidence.late import signed_when
from holdfast.evidence.log import place_of
from holdfast.evidence.records import SLACK
from holdfast.evidence.story import RESULT, START
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import Statement


def check_times(
    statements: Mapping[int, Statement], head: Head, now: datetime
) -> Iterator[Trouble]:
    """Hold dates against the reader's time, that of witnesses, and the run's own records."""
    seen = now if head.first_seen is None else min(
        now, datetime.fromtimestamp(head.first_seen, UTC))
    began: dict[str, datetime] = {}
    for index, statement in sorted(statements.items()):
        place, signed = place_of(statement), signed_when(statement)
        if place is None or signed is None:
            continue
        if place.moment > seen + SLACK:
            yield Trouble(
                "E_FUTURE_RECORD", f"record {index}", f"a date of {seen.isoformat()} or before",
                place.recorded_at, "it had been seen before the date that it claims",
            )
        if statement.predicate_type == START:
            began[place.run_id] = signed.moment
        began.setdefault(place.run_id, signed.moment)
        if statement.predicate_type == RESULT:
            yield from _sealed(index, statement, began[place.run_id], place.moment)


def _sealed(
    index: int, result: Statement, began: datetime, recorded: datetime
) -> Iterator[Trouble]:
    """How old evidence is counts from when a result says that it was sealed."""
    try:
        at = datetime.fromisoformat(str(result.predicate.get("sealed_at")))
        is_well = began - SLACK <= at <= recorded + SLACK
    except (ValueError, TypeError):
        is_well = False
    if not is_well:
        yield Trouble(
            "E_SEALED_AT", f"record {index}", f"from {began.isoformat()} to {recorded.isoformat()}",
            str(result.predicate.get("sealed_at"))[:60],
            "a result claims another time than that between its start and its record",
        )
