"""The index of what results show (E2), on files and on a server."""

import random
from datetime import UTC, datetime

import pytest

from holdfast.controls.coverage import coverage
from holdfast.controls.results import by_service
from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.story import RESULT, START
from holdfast.model.record import Statement
from holdfast.model.verdict import Verdict
from holdfast.steps.catalogues import catalogue
from holdfast.stores.notary import LocalNotary
from holdfast.stores.places import books_of
from holdfast.stores.shown import TELLING, SqlShown

ART = "dora:art-24.4"


@pytest.fixture
def shown(settings):
    return SqlShown(books_of(settings))


@pytest.fixture
def say(settings):
    notary = LocalNotary(books_of(settings), settings.keys)

    def write(run, verdict="HELD", at="2026-01-01", service="api", **more):
        told = {
            "suite": "s", "environment": "shop", "verdict": verdict, "controls": [ART],
            "sealed_at": f"{at}T00:00:00+00:00",
            "experiments": [{"name": "x", "service": service, "verdict": verdict}],
        }
        return notary.append(run, Statement(RESULT, {}, told | more)).index

    return write


def found(shown, *controls, service=""):
    return [(r.run_id, r.service, r.verdict.name, r.record)
            for r in shown.results(controls or [ART], service)]


def test_results_are_found_by_control_and_service(shown, say):
    one, two = say("one"), say("two", "BROKEN", service="db")
    assert {("one", "api", "HELD", one), ("two", "db", "BROKEN", two)} == {*found(shown)}
    assert [("two", "db", "BROKEN", two)] == found(shown, service="db")
    assert [] == found(shown, "dora:art-25.1")
    assert ["api", "db"] == shown.services()


def test_the_latest_result_of_a_run_takes_the_place_of_the_one_before(shown, say):
    say("one")
    shown.services()
    later = say("one", "BROKEN")
    assert [("one", "api", "BROKEN", later)] == found(shown)
    say("one", is_postponed=True)
    assert [] == found(shown)


def test_a_run_that_is_started_again_takes_no_result_back(shown, say, settings):
    """Else a failure could be had away with: clear the run, and have it postponed."""
    broken = say("one", "BROKEN")
    LocalNotary(books_of(settings), settings.keys).append("one", Statement(START, {}, {}))
    say("one", "UNKNOWN")
    say("one", is_postponed=True)
    assert [("one", "api", "BROKEN", broken)] == found(shown)
    shown.rebuild()
    assert [("one", "api", "BROKEN", broken)] == found(shown)


def test_the_newest_that_says_something_is_found_behind_any_number_that_do_not(shown, say):
    held = say("held", at="2025-01-01")
    for number in range(25):
        say(f"u{number}", "UNKNOWN", at="2026-01-01")
    names = found(shown)
    assert ("held", "api", "HELD", held) == names[0]
    assert 26 == len(names)


def test_unknown_runs_of_before_are_no_longer_of_interest(shown, say):
    say("u", "UNKNOWN", at="2025-01-01")
    held = say("held", at="2026-01-01")
    assert [("held", "api", "HELD", held)] == found(shown)


def test_controls_stand_as_they_would_by_all_results(shown, say, settings):
    """The index leaves out only what changes nothing."""
    chance = random.Random(6)
    for number in range(80):
        say(f"r{number % 70}", chance.choice(["HELD", "UNKNOWN", "BROKEN"]),
            at=f"2026-0{chance.randrange(1, 4)}-0{chance.randrange(1, 8)}",
            service=chance.choice("abc"),
            controls=chance.sample([ART, "dora:art-25.1", "nis2:art-21.2.c"], 2))
    known = [c for c in catalogue().values() if c.framework == "dora"]
    log = {r.run_id: r for r in LocalNotary(books_of(settings), settings.keys).records()
           if r.predicate_type == RESULT}
    every = [result for r in log.values() for result in by_service(
        r.index, r.run_id, statement_of(read(r.envelope)).predicate)]

    def stand(results):
        found = coverage(known, results, datetime(2026, 4, 1, tzinfo=UTC), 40, {})
        return [(s.control.name, s.service, s.state, s.reason, s.due, s.records[:TELLING])
                for s in found]

    assert stand(every) == stand(shown.results([c.name for c in known]))


def test_made_anew_from_the_records_it_is_the_same(shown, say):
    """E1: the index follows from the log."""
    for number, verdict in enumerate(Verdict):
        say(f"r{number}", verdict.name, service=f"s{number % 2}")
    before = found(shown)
    shown.rebuild()
    assert before == found(shown)


def test_a_result_that_is_none_is_told_with_its_number(shown, say):
    say("one", experiments="nonsense")
    with pytest.raises(EvidenceError, match="record 1: not a result that can be read"):
        shown.services()
