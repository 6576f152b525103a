"""A drafted suite is a suite, whatever its author's metrics are called (C1, F1-F5)."""

import pytest

from holdfast.errors import SpecError
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from holdfast.spec.draft import FIRST, Draft, Service, draft, service_of
from holdfast.spec.load import load_suite
from holdfast.spec.vocabularies import VOCABULARIES, spoken

API = Service("api", "process", "run/web-*.pid")


def a_draft(**changes: object) -> Draft:
    facts = {"name": "mine", "owner": "me: and 'you'", "environment": "staging",
             "services": [API], "vocabulary": "spring"}
    return Draft(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_vocabulary_gives_a_valid_suite(tmp_path, vocabulary):
    file = tmp_path / "mine.suite.yaml"
    file.write_text(draft(a_draft(vocabulary=vocabulary, selector='job="a\'b"'), "mine"))
    suite = load_suite(file).suite
    assert ["latency-p95", "errors", "availability"] == [o.name for o in suite.objectives]
    assert all('job="a\'b"' in o.indicator.prometheus for o in suite.objectives)


def test_names_and_owners_are_quoted(tmp_path):
    file = tmp_path / "mine.suite.yaml"
    file.write_text(draft(a_draft(), "mine"))
    assert "me: and 'you'" == load_suite(file).suite.metadata.owner


def test_what_needs_no_quotes_has_none_and_bounds_can_be_read():
    text = draft(a_draft(name="on", environment="shop-1"), "mine")
    assert ['name: "on"', "environment: shop-1", 'objective: "< 500ms"'] == [
        next(line for line in text.splitlines() if word in line).split("  #")[0].strip()
        for word in ("  name:", "environment:", "500ms")
    ]


def test_each_service_gets_one_first_fault_that_there_is_and_that_hits_its_kind():
    drivers = Registry[FaultDriver]("faults", "DRIVER")
    for kind, (fault, _, _) in FIRST.items():
        assert fault in drivers, f"no driver {fault}"
        assert kind == drivers[fault].address  # type: ignore[attr-defined]


def test_a_service_that_no_first_fault_hits_is_named_only(tmp_path):
    file = tmp_path / "mine.suite.yaml"
    file.write_text(draft(a_draft(services=[API, Service("front", "http", "front")]), "mine"))
    suite = load_suite(file).suite
    assert ({"api", "front"}, 1) == (set(suite.target.services), len(suite.rounds))


def test_failures_that_have_not_happened_yet_count_as_none():
    queries = VOCABULARIES["prometheus"].queries("", "1m")
    wrong = '(sum(rate(http_requests_total{code=~"5.."}[1m])) or vector(0))'
    assert f"{wrong} / sum(rate(http_requests_total[1m]))" == queries["errors"]


def test_milliseconds_become_seconds():
    assert VOCABULARIES["istio"].queries("", "1m")["latency-p95"].endswith(" / 1000")


def test_the_vocabulary_is_found_out_by_its_names():
    names = ["up", *VOCABULARIES["istio"].names]
    assert ["istio"] == spoken(names)
    assert [] == spoken(["up"])


@pytest.mark.parametrize("text", ["api", "api=process", "=process:x", "api=process:", "api=pg:x"])
def test_what_is_no_service_is_refused_with_a_cure(text):
    with pytest.raises(SpecError) as refused:
        service_of(text, ["process", "postgres"])
    assert refused.value.hint


def test_an_address_may_hold_what_separates():
    assert Service("api", "http", "a=b:c") == service_of("api=http:a=b:c", ["http"])


@pytest.mark.parametrize("changes", [
    {"vocabulary": "sprin"}, {"services": [Service("front", "http", "front")]}, {"services": []},
])
def test_what_cannot_be_drafted_is_refused_with_a_cure(changes):
    with pytest.raises(SpecError) as refused:
        draft(a_draft(**changes), "mine")
    assert refused.value.hint
