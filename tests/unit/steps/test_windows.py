"""Whether a round may begin now, and who says so if not (S7)."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.errors import Postponed, SpecError
from holdfast.model.verdict import Verdict
from holdfast.steps.book import findings
from holdfast.steps.preflight import preflight
from holdfast.steps.steady import RoundLeftOut, steady
from holdfast.steps.windows import closed, longest
from support import suites
from support.ports import START, FakeMetrics, memory_ports
from support.runs import RUN, WELL, planned

LAST = "blast_radius: {instances: 100%}"
PAGES = "count(ALERTS) or vector(0)"
NOW = f"max({PAGES})"
THEN = f"max(max_over_time(timestamp(({PAGES}) > 0)[86400s:60s])) or vector(0)"
INCIDENT = f"after_incident: {{prometheus: '{PAGES}'}}"


def windows(text: str) -> tuple[str, str]:
    return LAST, f"{LAST}\nwindows: {{time_zone: Europe/Berlin, {text}}}"


def told(home, text: str, **table: object) -> str:
    """Why the second round may not begin on Thursday 2026-01-01 at 03:00 CET; or nothing."""
    suite = suites.suite(windows(text))
    ports = memory_ports(home, drivers=suites.drivers(), metrics=FakeMetrics(table))
    found = closed(ports, suite, suite.rounds[1])
    return found.text if found else ""


def test_a_suite_without_windows_may_begin_at_any_time(tmp_path):
    suite = suites.suite()
    assert None is closed(memory_ports(tmp_path, drivers=suites.drivers()), suite, suite.rounds[0])


@pytest.mark.parametrize(("text", "expected"), [
    ("allowed: [{from: '03:00', to: '03:02'}]", ""),
    ("allowed: [{from: '09:00', to: '16:00'}]",
     "outside the allowed hours; next allowed time: Thursday 2026-01-01 09:00 CET"),
    ("allowed: [{days: [thu, fri], from: '02:00', to: '03:01'}]",
     "103s are needed, and at Thursday 2026-01-01 03:01 CET it would be outside the allowed hours; "
     "next allowed time: Friday 2026-01-02 02:00 CET"),
    ("freezes: [{from: 2025-12-20, to: 2026-01-06, reason: Christmas}]",
     "frozen from 2025-12-20 to 2026-01-06: Christmas; "
     "next allowed time: Wednesday 2026-01-07 00:00 CET"),
    ("holidays: {country: DE, subdivision: BE}",
     "2026-01-01 is a holiday: New Year's Day; next allowed time: Friday 2026-01-02 00:00 CET"),
    ("allowed: [{days: [thu], from: '09:00', to: '09:01'}]",
     "outside the allowed hours; no allowed time in a year"),
])
def test_it_says_why_not_and_when_next_in_the_time_zone_of_the_suite(
    tmp_path, monkeypatch, text, expected
):
    monkeypatch.setenv("LANGUAGE", "en")
    assert expected == told(tmp_path, text)


def test_a_freeze_of_the_deployment_holds_for_the_environments_it_names(tmp_path):
    (tmp_path / "experiments").mkdir()
    file = tmp_path / "experiments" / "freezes.yaml"
    freeze = "- {from: 2026-01-01, to: 2026-01-01, reason: Audit, environments: [%s]}"
    suite = suites.suite()
    ports = memory_ports(tmp_path, drivers=suites.drivers())
    for names, is_closed in (("staging", True), ("production", False), ("", True)):
        file.write_text("freezes:\n  " + freeze % names)
        assert is_closed is (closed(ports, suite, suite.rounds[0]) is not None)


def test_a_freeze_file_that_cannot_be_read_lets_nothing_begin(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "freezes.yaml").write_text("freezes: [{from: soon}]")
    with pytest.raises(SpecError, match=r"freezes.yaml:1:18: 'from' is 'soon'"):
        preflight(planned(tmp_path), RUN)


@pytest.mark.parametrize(("table", "expected"), [
    pytest.param({NOW: 0.0, THEN: 0.0}, "", id="none"),
    pytest.param({NOW: 2.0}, "there is an incident now", id="now"),
    pytest.param({}, "whether there is an incident is not known: no series", id="not-known"),
    pytest.param({NOW: 0.0}, "when the last incident was is not known: no series", id="history"),
    pytest.param(
        {NOW: 0.0, THEN: (START - timedelta(hours=1)).timestamp()},
        "the last incident was until 2026-01-01 02:00 CET, less than 24 h ago; "
        "next allowed time: Friday 2026-01-02 02:00 CET", id="an-hour-ago"),
])
def test_an_incident_is_what_the_query_of_the_suite_says(tmp_path, table, expected):
    assert expected == told(tmp_path, INCIDENT, **table)


def test_an_incident_and_a_window_are_told_together(tmp_path):
    table = {NOW: 0.0, THEN: START.timestamp()}
    text = INCIDENT + ", allowed: [{from: '09:00', to: '16:00'}]"
    assert ("the last incident was until 2026-01-01 03:00 CET, less than 24 h ago; outside the "
            "allowed hours; next allowed time: Friday 2026-01-02 09:00 CET"
            ) == told(tmp_path, text, **table)


def test_without_its_prometheus_nobody_knows_of_incidents(tmp_path):
    def metrics(connection_id: str):
        raise SpecError("unknown connection")

    suite = suites.suite(windows(INCIDENT))
    ports = memory_ports(tmp_path, drivers=suites.drivers(), metrics=metrics)
    found = closed(ports, suite, suite.rounds[0])
    assert "whether there is an incident is not known: unknown connection" == found.text


def test_an_empty_round_takes_no_time(tmp_path):
    suite = suites.suite()
    empty = suite.rounds[0].model_copy(update={"experiments": ()})
    assert timedelta(0) == longest(memory_ports(tmp_path), suite, empty)


NIGHT = windows("allowed: [{from: '03:00', to: '03:04'}]")


def test_preflight_counts_the_baseline_in_and_names_the_next_time(tmp_path):
    ports = planned(tmp_path, windows("allowed: [{from: '03:00', to: '03:01'}]"))
    with pytest.raises(Postponed, match="62s are needed") as refused:
        preflight(ports, RUN)
    assert None is refused.value.opens
    preflight(planned(tmp_path / "other", NIGHT), RUN)


def test_all_reasons_of_preflight_are_told_at_once_the_window_first(tmp_path):
    ports = planned(tmp_path, windows("allowed: [{from: '09:00', to: '16:00'}]"))
    ports.drivers["kill"].refuse = "connection refused"
    with pytest.raises(Postponed, match=r"^outside.*; second: api: connection refused$") as refused:
        preflight(ports, RUN)
    assert datetime(2026, 1, 1, 8, tzinfo=UTC) == refused.value.opens


def test_the_first_round_is_postponed_when_its_window_has_closed(tmp_path):
    ports = planned(tmp_path, NIGHT)
    ports.clock.sleep(240)
    with pytest.raises(Postponed, match="next allowed time: Friday 2026-01-02 03:00 CET") as late:
        steady(ports, RUN, 0)
    assert not isinstance(late.value, RoundLeftOut)
    assert [] == findings(ports, RUN)


def test_a_later_round_is_not_begun_and_that_is_unknown(tmp_path):
    ports = planned(tmp_path, NIGHT, metrics=FakeMetrics(WELL))
    ports.clock.sleep(200)
    with pytest.raises(RoundLeftOut, match="round 2 was not begun: 103s are needed"):
        steady(ports, RUN, 1)
    (found,) = findings(ports, RUN)
    assert ("window-2", Verdict.UNKNOWN) == (found.name, found.verdict)
