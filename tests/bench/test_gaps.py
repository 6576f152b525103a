"""How fast gaps and records are found among a million results. Run by `make bench` only."""

import random
import sqlite3
import statistics
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.controls.coverage import gaps
from holdfast.model.retrieval import Wanted
from holdfast.settings import Settings
from holdfast.steps.catalogues import catalogue
from holdfast.steps.coverage import standings
from holdfast.wiring import ports as wired

RESULTS, SERVICES, LARGEST, ASKED = 1_000_000, 50, "nist-800-53r5", 300
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def at(number):
    """One result every half minute: the oldest is 347 days old."""
    return (MADE - timedelta(minutes=(RESULTS - number) / 2)).isoformat(timespec="milliseconds")


def results(names):
    """One a record: every control and service in turns, one in ten not HELD."""
    chance = random.Random(1)
    for number in range(RESULTS):
        control, service = names[number // SERVICES % len(names)], number % SERVICES
        verdict, = chance.choices((0, 1, 2), (90, 5, 5))
        yield number, f"s--{number}", "s", f"service-{service:02}", control, verdict, at(number)


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    home = tmp_path_factory.mktemp("gaps")
    made = wired(Settings(home, home / "experiments"))
    names = sorted(catalogue())
    made.shown.services()
    with closing(sqlite3.connect(made.settings.books)) as db, db:
        db.executemany("INSERT INTO shown (number, run_id, suite, service, control, verdict, at) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?)", results(names))
        db.executemany("INSERT INTO record VALUES (?, ?, 'https://x/result/v1', ?, '', ?)", (
            (n, f"s--{n}", at(n), bytes(900)) for n in range(RESULTS)))
        db.executemany("INSERT INTO run (id, suite, environment, triggered_by, plan_digest, "
                       "started_at, start_boottime, state, reason, ended_at) VALUES "
                       "(?, 's', '', '', '', '', 0, '', '', '')", (
                           (f"s--{n}",) for n in range(RESULTS)))
        db.execute("INSERT INTO shown_until VALUES (?)", [RESULTS])
    return made


def test_gaps_among_a_million_results(ports, capsys):
    """Of the largest framework, and of all one after the other."""
    frameworks = sorted({c.framework for c in catalogue().values()})
    for what, asked in ((LARGEST, [LARGEST]), ("all frameworks", frameworks)):
        took = []
        for _ in range(5):
            began = time.perf_counter()
            found = [s for name in asked for s in standings(ports, name, 90)]
            open_ = gaps(found)
            took.append((time.perf_counter() - began) * 1000)
        with capsys.disabled():
            print(f"\ngaps of {what} among {RESULTS:,} results: {len(open_):,} of "
                  f"{len(found):,}, first {took[0]:.0f} ms, then p50 "
                  f"{statistics.median(took[1:]):.0f} ms")


def test_records_by_control_and_period(ports, capsys):
    chance, names, took = random.Random(2), sorted(catalogue()), []
    for _ in range(ASKED):
        first = chance.randrange(RESULTS - 90_000)
        wanted = Wanted(("s",), control=chance.choice(names), since=at(first),
                        until=at(first + 86_400), limit=100)
        began = time.perf_counter()
        found = ports.shown.records(wanted)
        took.append((time.perf_counter() - began) * 1000)
        assert 100 == len(found)
    with capsys.disabled():
        print(f"\n100 records of a control and a month among {RESULTS:,}: "
              f"p50 {statistics.median(took):.1f} ms, "
              f"p95 {statistics.quantiles(took, n=20)[18]:.1f} ms")
