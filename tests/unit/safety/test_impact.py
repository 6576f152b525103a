"""What an experiment puts at stake, as points with their reasons (S9)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.fault import Effect
from holdfast.safety.impact import Exposure, Impact, Part, Setting, fault_class, impact

MONDAY = datetime(2026, 1, 5, 10, 30, tzinfo=ZoneInfo("Europe/Berlin"))
ORDER = [Effect.HELD, Effect.ONE_SHOT, Effect.IRREVERSIBLE]
TYPES = ["noop", "network.latency", "process.hang", "process.kill", "security.x", "postgres.y"]
ENVIRONMENTS = ["lab", "staging", "production"]


def of(
    types=("process.hang",), effects=(Effect.HELD,), share=0.5, seconds=90.0, *,
    where="shop-demo", at=MONDAY, agreed=False,
) -> Impact:
    exposure = Exposure(
        frozenset(types), frozenset(effects), {"api": share}, timedelta(seconds=seconds))
    return impact(exposure, Setting(where, at, agreed))


def points(found: Impact) -> dict[str, int]:
    return {part.name: part.points for part in found.parts}


def texts(found: Impact) -> dict[str, str]:
    return {part.name: part.text for part in found.parts}


def test_each_part_has_its_points_and_a_sentence():
    assert [
        Part("blast radius", 30, 15, "hits 50% of api"),
        Part("environment", 25, 2, "shop-demo: made to be broken"),
        Part("effect", 15, 3, "every fault is reverted from its recipe"),
        Part("fault class", 15, 6, "process.hang: application"),
        Part("duration", 10, 1, "faults may be on for 90 s at worst, 900 s count in full"),
        Part("time", 5, 5, "Monday 10:30 CET: working hours"),
    ] == list(of().parts)


def test_the_worst_of_all_is_100_and_nothing_in_a_lab_is_nearly_nothing():
    worst = of(["postgres.kill_primary"], [Effect.IRREVERSIBLE], 1.0, 900, where="production")
    least = of([], [], 0.0, 0.0, where="lab", agreed=True)
    assert (100, "very high", 2, "very low") == (worst.score, worst.level, least.score, least.level)


@pytest.mark.parametrize(("score", "level"), [
    (4, "very low"), (5, "low"), (20, "low"), (21, "moderate"), (79, "moderate"), (80, "high"),
    (95, "high"), (96, "very high"),
])
def test_a_score_has_a_word(score, level):
    assert level == Impact((Part("any", 100, score, ""),)).level


@pytest.mark.parametrize(("name", "score", "text"), [
    ("production", 25, "production: production"),
    ("shop-prod-eu", 25, "shop-prod-eu: production"),
    ("staging", 12, "staging: a copy of production"),
    ("demo-prod", 25, "demo-prod: production"),
    ("ci-2", 2, "ci-2: made to be broken"),
    ("blue", 25, "blue: not known by its name, so it counts as production"),
])
def test_an_environment_that_nobody_knows_counts_as_production(name, score, text):
    found = of(where=name)
    assert (score, text) == (points(found)["environment"], texts(found)["environment"])


@pytest.mark.parametrize(("fault_type", "name"), [
    ("process.kill", "infrastructure"), ("process.hang", "application"),
    ("network.partition", "infrastructure"), ("network.loss", "performance"),
    ("security.revoke_login", "security"), ("postgres.corrupt_page", "data"),
    ("noop", "no fault at all"), ("somebodys.own", "data"),
])
def test_a_fault_has_a_class_and_an_unknown_one_the_worst(fault_type, name):
    assert name == fault_class(fault_type)


@pytest.mark.parametrize(("at", "agreed", "score", "text"), [
    (MONDAY, True, 0, "only in hours that the suite's owner has named"),
    (datetime(2026, 1, 5, 7, 59, tzinfo=UTC), False, 2, "Monday 07:59 UTC: outside working hours"),
    (datetime(2026, 1, 5, 18, 0, tzinfo=UTC), False, 2, "Monday 18:00 UTC: outside working hours"),
    (datetime(2026, 1, 3, 12, 0, tzinfo=UTC), False, 2,
     "Saturday 12:00 UTC: outside working hours"),
])
def test_the_time_counts_least(at, agreed, score, text):
    found = of(at=at, agreed=agreed)
    assert (score, text) == (points(found)["time"], texts(found)["time"])


def test_the_service_that_is_hit_most_counts_and_the_others_are_told():
    shares = {"api": 0.25, "database": 1.0, "idle": 0.0}
    exposure = Exposure(frozenset(["noop"]), frozenset([Effect.HELD]), shares, timedelta(0))
    found = impact(exposure, Setting("lab", MONDAY))
    assert (30, "hits 100% of database, and 1 more") == (
        points(found)["blast radius"], texts(found)["blast radius"])


def test_what_hits_nothing_and_has_no_fault_says_so():
    found = of([], [], 0.0)
    assert ("hits nothing now", "there is no fault") == (
        texts(found)["blast radius"], texts(found)["effect"])


def test_points_are_whole_numbers_for_they_are_signed():
    told = of().as_json()
    assert (32, "moderate", 6) == (told["score"], told["level"], len(told["parts"]))
    assert {"name": "time", "weight": 5, "points": 5,
            "text": "Monday 10:30 CET: working hours"} == told["parts"][-1]


SHARE, SECONDS = st.floats(0, 1), st.floats(0, 1e6)
ANY = st.tuples(st.integers(0, 5), st.integers(0, 2), SHARE, SECONDS, st.integers(0, 2))


def scored(one) -> Impact:
    kind, effect, share, seconds, where = one
    return of([TYPES[kind]], [ORDER[effect]], share, seconds, where=ENVIRONMENTS[where])


@given(ANY, ANY)
def test_more_of_anything_never_gives_fewer_points(one, other):
    more = tuple(max(a, b) for a, b in zip(one, other, strict=True))
    assert 0 <= scored(one).score <= scored(more).score <= 100


@given(ANY)
def test_no_part_is_above_its_weight_and_the_weights_are_100(one):
    parts = scored(one).parts
    assert 100 == sum(part.weight for part in parts)
    assert all(0 <= part.points <= part.weight for part in parts)
