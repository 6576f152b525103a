"""E1: genuine bundles raise no alarm, whatever their runs; what is no bundle gives no traceback."""

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.audit import places
from holdfast.audit.request import Request
from holdfast.model.record import Role
from holdfast.reports._drawn import drawn
from support.bundles import KEYS, World, changed, codes, world

ROUNDS = int(os.environ.get("HOLDFAST_BUNDLES", "150"))
"""How many genuine bundles; 10,000 take some minutes."""


def a_log(chance):
    """Runs of every kind, side by side and one after the other: 1 to 50 records."""
    made = World()
    for number in range(chance.randint(0, 9)):
        name, verdict = f"shop--{number}", chance.choice(["HELD", "BROKEN", "UNKNOWN"])
        kind = chance.random()
        if kind < 0.1:
            made.say("plan", name)
        elif kind < 0.2:
            made.say("plan", name)
            made.say("result", name, verdict="UNKNOWN", is_postponed=True, reason="busy",
                     experiments=[], controls=[], artefacts=[], findings=[],
                     sealed_at=made.clock.now().isoformat())
        else:
            made.run(name, verdict)
        if kind > 0.9:
            made.result(name, "BROKEN")
        made.clock.passed += chance.choice([0, 60, 86_400])
    return made


def test_genuine_bundles_raise_no_alarm():
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        made = a_log(chance)
        day = made.clock.now().replace(hour=0)
        request = Request(
            since=chance.choice([None, day]), suites=chance.choice([(), ("shop",)]),
            services=chance.choice([(), ("api",)]), frameworks=chance.choice([(), ("dora",)]))
        found = made.bundle(request).check(since=request.since)
        assert [] == found.troubles, (seed, request)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 4), st.data())
def test_a_record_that_says_anything_gives_a_trouble_and_no_traceback(index, data):
    """Bad input: even signed by the runner, and logged."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.text("abc", max_size=2), inner, max_size=3), max_leaves=6)

    def change(told):
        name = data.draw(st.sampled_from(sorted(told)))
        if data.draw(st.booleans()):
            del told[name]
        else:
            told[name] = data.draw(anything)

    made = world("HELD")
    record = made.batch.records[index]
    key = KEYS[Role.APPROVER if index == 2 else Role.RUNNER]
    forged = changed(record.envelope, change, key)
    found = made.bundle().edited(index, lambda _: None)
    found.files[places.entry(index)] = forged
    assert forged == record.envelope or found.listed().check().exit_code in (1, 3, 5)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.data())
def test_any_bytes_in_any_file_are_found_without_a_traceback(content, data):
    f = world("HELD").bundle()
    name = data.draw(st.sampled_from(sorted(f.files)))
    f.files[name] = content
    assert f.check().exit_code != 0
    assert f.listed().check().exit_code != 0


@pytest.mark.parametrize("request_", [
    Request(suites=("other",)), Request(services=("other",)),
    Request(frameworks=("soc2-tsc-2017",))])
def test_what_was_not_asked_for_is_counted_and_left_out(request_):
    f = world().bundle(request_)
    found = f.check()
    assert ([], 0, 0) == (found.troubles, found.runs, found.artefacts)
    assert 3 == f.manifest.population


def test_the_same_request_and_head_give_the_same_bytes():
    one, two = world().bundle(), world().bundle()
    assert one.packed().getvalue() == two.packed().getvalue()


def test_a_period_begins_with_a_record_of_before():
    made = World()
    made.run("shop--old", "BROKEN")
    made.clock.passed += 86_400
    since = made.clock.now()
    made.run("shop--new", "HELD")
    f = made.bundle(Request(since=since))
    found = f.check(since=since)
    assert ([], 1, 4) == (found.troubles, found.runs, f.manifest.first)
    assert {"E_RANGE_INCOMPLETE"} == codes(f.check(since=since.replace(year=2025)))


def test_the_report_is_drawn_as_a_pdf_the_same_twice():
    html = world("HELD").bundle().files["report/index.html"].decode()
    one, two = drawn(html), drawn(html)
    assert one.startswith(b"%PDF-")
    assert one == two
