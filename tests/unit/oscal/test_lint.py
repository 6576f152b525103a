"""E3: what makes OSCAL documents worthless, though they follow the schema, is found and named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.controls.frameworks.catalogue import CONTROLS
from holdfast.oscal.lint import lint
from holdfast.oscal.sheet import Defect
from support.oscal import IDS, Records, logs, rich, trial, violations
from support.oscal_defects import DEFECTS, PLAN, POAM, RESULTS, Opened


def codes(documents):
    return {defect.code for defect in lint(documents, IDS)}


def spoilt(name, choose=lambda parts: parts[0], made=None):
    opened = Opened(made or rich().documents())
    DEFECTS[name][1](opened, choose)
    return opened.written()


@given(logs())
def test_genuine_documents_have_no_defect(records):
    assert [] == list(lint(records.documents(), IDS))


@pytest.mark.parametrize("name", DEFECTS)
def test_the_schema_sees_nothing_wrong_and_the_lint_does(name):
    code, _ = DEFECTS[name]
    assert ([], True) == (violations(spoilt(name)), f"OSCAL_{code}" in codes(spoilt(name)))


@given(logs(rich()), st.sampled_from(sorted(DEFECTS)), st.data())
def test_each_defect_is_found_wherever_it_is(records, name, data):
    def choose(parts):
        return data.draw(st.sampled_from(parts))

    code, _ = DEFECTS[name]
    assert f"OSCAL_{code}" in codes(spoilt(name, choose, records.documents()))


def test_there_are_many_classes():
    assert 29 == len({code for code, _ in DEFECTS.values()})


def test_a_defect_says_its_code_its_place_and_what_is_wrong():
    found = lint(spoilt("method-by-feeling"), IDS)
    assert Defect("OSCAL_UNKNOWN_METHOD", f"{RESULTS}: results.0.observations.0",
                  "'VIBES' is no method") == found[0]
    assert (f"OSCAL_UNKNOWN_METHOD {RESULTS}: results.0.observations.0: 'VIBES' is no method"
            == str(found[0]))


def test_whatever_is_wrong_is_told_once():
    found = [d.code for d in lint(spoilt("closed-by-nobody"), IDS)]
    assert ["OSCAL_CLOSED_WITHOUT_ENTRY", "OSCAL_COPY_DIFFERS"] == found


@pytest.mark.parametrize("content", [
    b"", b"[]", b"3", b'{"catalog": {}}', b'{"assessment-plan": []}', b"[" * 100_000,
    b'{"assessment-plan": {}, "assessment-results": {}}',
])
def test_what_is_no_document_is_said(content):
    wrong = Defect("OSCAL_UNREADABLE", "x.json", "not an OSCAL document of a kind that is known")
    assert [wrong] == lint({"x.json": content}, IDS)


def test_results_alone_lack_their_plan():
    made = rich().documents()
    found = lint({RESULTS: made[RESULTS]}, IDS)
    assert Defect("OSCAL_NO_IMPORT", f"{RESULTS}: import-ap", found[0].text) == found[0]


@pytest.mark.parametrize("name", [PLAN, POAM])
def test_a_plan_and_a_plan_of_action_can_be_read_alone(name):
    assert [] == list(lint({name: rich().documents()[name]}, IDS))


def test_all_controls_may_be_selected_and_times_that_are_none_are_the_schemas():
    opened = Opened(rich().documents())
    for result in opened.told["results"]:
        result["reviewed-controls"]["control-selections"] = [{"include-all": {}}]
    for n, observation in enumerate(opened.every("observations")):
        observation["collected"] = ("soon", "2026-03-01T02:00:00", 3)[n % 3]
    assert set() == codes(opened.written()) - {"OSCAL_COPY_DIFFERS"}


def test_verdicts_that_others_do_not_tell_are_not_guessed():
    opened = Opened(rich().documents())
    for observation in (*opened.every("observations"), *opened.poam["observations"]):
        observation["props"] = [{"name": "verdict", "value": "BROKEN"}]
    assert set() == codes(opened.written())


def test_lists_that_are_missing_are_no_defect_of_their_own():
    """The schema wants them; the lint must not fall over what is not there."""
    bare = {"uuid": "x", "metadata": {}, "import-ap": {"href": "p.json"}, "results": [{}],
            "extra": [[1], {"href": 3}]}
    plan = {"uuid": "y", "metadata": {}, "import-ssp": {"href": "ssp.json"}}
    made = {"r.json": {"assessment-results": bare}, "p.json": {"assessment-plan": plan}}
    assert set() == codes({name: json.dumps(one).encode() for name, one in made.items()})


def test_every_control_has_an_id_of_its_own():
    some = {"cp-2.3", "hipaa-security_164.312-c-1-2", "us-occ-2020-94_sound-practices"}
    assert (len(CONTROLS), some) == (len(IDS), some & set(IDS))


def test_a_finding_that_contradicts_its_record_is_found():
    """Signed by mistake or not: held, while one of its checks is broken."""
    records = Records()
    records.result("one", trial("first"), controls=["nist-800-53r5:cp-10"], verdict="HELD",
                   findings=[{"name": "recovery", "experiment": "first", "verdict": "BROKEN",
                              "text": "no"}])
    assert {"OSCAL_SATISFIED_BUT_FAILED"} == codes(records.documents())
