"""Remember what the data was like before the first fault, and after each of them."""

import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from holdfast.clients.rows import Look
from holdfast.errors import CheckError, FaultError, Postponed, SpecError
from holdfast.model.run import Entry, EntryKind
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import Answers, Moment
from holdfast.steps.book import suite_of
from holdfast.steps.items import Item, Looking, finding_name, is_by_itself, item, keys, looked

_FEW = 100
"""Rows that an entry of the book may hold; more of them are an artefact."""


def snapshot(
    ports: Ports, run_id: str, experiment: str = "", looking: Looking = looked
) -> None:
    """Ask what each consistency check wants to know now: before all faults, or after one of them.

    Before, Postponed if it cannot be read, since the run could not be judged. After a fault the
    reason is written down instead: the run goes on.
    """
    suite, why_not = suite_of(ports, run_id), []
    for number in range(len(suite.consistency)):
        if is_by_itself(suite, number):
            continue
        try:
            _take(ports, run_id, item(suite, number), experiment, looking)
        except (CheckError, FaultError, SpecError) as error:
            why_not.append(f"{finding_name(suite, number)}: {error}")
            if experiment:
                _write(ports, run_id, keys(suite)[number], experiment, {"error": str(error)})
    if why_not and not experiment:
        raise Postponed("the data before the first fault cannot be read: " + "; ".join(why_not))


def before_of(ports: Ports, run_id: str, key: str) -> Answers | None:
    """What was there before the first fault; None if nobody looked."""
    for entry in ports.books.read(run_id, EntryKind.SNAPSHOT):
        if entry.name == key and not entry.experiment:
            file = str(entry.data["artefact"])
            path = next(ports.artefacts.path(a) for a in ports.artefacts.of(run_id)
                        if a.name == file)
            return _answers(entry, {name: _Kept(path, name) for name in _mapping(entry, "rows")})
    return None


def during_of(ports: Ports, run_id: str, key: str) -> list[Answers]:
    """What was there after each fault, as far as it could be read."""
    return [
        _answers(entry, {str(n): list(rows) for n, rows in _mapping(entry, "answers").items()})
        for entry in ports.books.read(run_id, EntryKind.SNAPSHOT)
        if entry.name == key and entry.experiment and "answers" in entry.data
    ]


def _take(ports: Ports, run_id: str, asked: Item, experiment: str, looking: Looking) -> None:
    moment = Moment.DURING if experiment else Moment.BEFORE
    questions = asked.checker.asks(moment, asked.params)
    if not questions:
        return
    if experiment:
        data = looking(ports, asked.postgres, lambda seen: _few(seen, questions))
    else:
        content, data = looking(ports, asked.postgres, lambda seen: _all(seen, questions))
        file = f"{asked.key}-before.jsonl.gz"
        ports.artefacts.put(run_id, file, content, "application/gzip")
        data |= {"artefact": file}
    _write(ports, run_id, asked.key, experiment, data)


def _few(seen: Look, questions: Mapping[str, str]) -> dict[str, object]:
    answers = {
        name: [_plain(row) for row in islice(seen.rows(query), _FEW)]
        for name, query in questions.items()
    }
    return {"begun": seen.begun, "ended": seen.ended, "answers": answers}


def _all(seen: Look, questions: Mapping[str, str]) -> tuple[bytes, dict[str, object]]:
    """Every row as a line; how many, and the one row of a figure, for the book."""
    buffer, counts, figures = io.BytesIO(), {}, {}
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=1) as file:
        for name, query in questions.items():
            row, number = [], 0
            for number, found in enumerate(seen.rows(query), 1):  # noqa: B007 - counts them
                row = _plain(found)
                file.write(json.dumps([name, row], separators=(",", ":")).encode() + b"\n")
            counts[name] = number
            if number == 1:
                figures[name] = row
    data = {"begun": seen.begun, "ended": seen.ended, "rows": counts, "figures": figures}
    return buffer.getvalue(), data


def _plain(row: Sequence[object]) -> list[object]:
    """Cells as JSON has them; what it has no word for becomes text."""
    return [c if c is None or isinstance(c, bool | int | str) else str(c) for c in row]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Rows of one question, read from their artefact each time they are iterated."""

    path: Path
    question: str

    def __iter__(self) -> Iterator[Sequence[object]]:
        with gzip.open(self.path, "rt", encoding="utf-8") as file:
            for line in file:
                question, row = json.loads(line)
                if question == self.question:
                    yield row


def _answers(entry: Entry, rows: Mapping[str, object]) -> Answers:
    begun, ended = (float(str(entry.data[name])) for name in ("begun", "ended"))
    label = f"after {entry.experiment}" if entry.experiment else "before the first fault"
    return Answers(label, begun, ended, rows)  # type: ignore[arg-type]  # lists out of JSON


def _mapping(entry: Entry, name: str) -> Mapping[str, list[Sequence[object]]]:
    found = entry.data[name]
    return found if isinstance(found, dict) else {}


def _write(
    ports: Ports, run_id: str, name: str, experiment: str, data: dict[str, object]
) -> None:
    at = ports.clock.now().isoformat()
    ports.books.write(Entry(run_id, EntryKind.SNAPSHOT, name, data, experiment, at))
