"""V2: each part of the page says what is known, in words beside the colour."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from holdfast.errors import Postponed
from holdfast.model.lease import LeaseState, Reason
from holdfast.model.mechanism import MechanismSpec
from holdfast.model.run import EntryKind, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.approval import ask
from holdfast.steps.book import suite_of, write, write_finding
from holdfast.steps.content_setting import facts
from holdfast.steps.live import look
from holdfast.steps.postpone import wait
from holdfast.steps.services import Health, Seen
from holdfast.web.margins import Margin
from holdfast.web.pages import PARTS, parts
from holdfast.web.view import Reading, View
from support.approvals import needs_approval, yes
from support.runs import RUN, lease, planned


@pytest.fixture
def ports(tmp_path):
    return planned(tmp_path)


def drawn(ports, **more):
    return parts(View(look(ports, RUN), **more), "")


def words(html):
    """What is read, without what is marked up."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def judged(ports, state, verdict, name="breaker"):
    measured = {"mechanism": "circuit_breaker", "state": state, "risk": "high"}
    write_finding(ports, RUN, Finding(name, verdict, "it opened after 0.9 s", "first", measured))


@pytest.mark.parametrize(("state", "verdict", "sign"), [
    ("WORKING", Verdict.HELD, "●"), ("PARTIAL", Verdict.BROKEN, "◐"),
    ("BROKEN", Verdict.BROKEN, "✕"), ("NOT VALIDATED", Verdict.UNKNOWN, "○"),
])
def test_a_lamp_is_told_by_word_and_by_shape(ports, state, verdict, sign):
    """R2: colour alone says nothing."""
    judged(ports, state, verdict)
    told = words(drawn(ports)["mechanisms"])
    assert f"{sign} breaker {state} in first, risk high it opened after 0.9 s" in told


def test_a_mechanism_is_not_judged_yet_and_then_was_not_judged(ports):
    live = look(ports, RUN)
    spec = MechanismSpec(type="circuit_breaker")
    suite = live.suite.model_copy(update={"mechanisms": {"breaker": spec}})
    told = parts(View(replace(live, suite=suite)), "")["mechanisms"]
    assert "breaker circuit breaker, not judged yet" in words(told)
    over = replace(live, suite=suite, run=replace(live.run, state=RunState.ENDED))
    assert "breaker circuit breaker, was not judged" in words(parts(View(over), "")["mechanisms"])


def test_a_finding_about_a_mechanism_is_told_once(ports):
    judged(ports, "WORKING", Verdict.HELD)
    write_finding(ports, RUN, Finding("fault", Verdict.HELD, "it ran its time", "first"))
    checks = words(drawn(ports)["checks"])
    assert "HELD first: fault it ran its time" in checks
    assert "breaker" not in checks


def test_a_fault_that_is_on_shows_what_would_end_it(ports):
    ports.leases.rows["lease-first"] = lease(
        state=LeaseState.ACTIVE, counter=9, breach_since={"errors": 1.0})
    told = words(drawn(
        ports, margins={"lease-first": Margin(4.2, 3.9)},
        readings={"errors": Reading("70%", holds=False)},
    )["guard"])
    assert "Guard renews the lease Renewals 9" in told
    assert "4.2 s of 5.0 s Smallest margin seen here 3.9 s" in told
    assert "errors 70% > 60% for 4s true now, the guard counts" in told
    assert "latency not read yet >= 500ms" in told


def test_a_revocation_names_who_and_why(ports):
    ports.leases.rows["lease-first"] = lease(reason=Reason.NO_DATA)
    assert "Revoked by guard (no data): errors were 3%" in words(drawn(ports)["guard"])


def test_the_fault_that_is_on_comes_first(ports):
    ports.leases.rows["lease-first"] = lease()
    ports.leases.rows["lease-second"] = lease("second", state=LeaseState.ACTIVE)
    told = words(drawn(ports)["guard"])
    assert told.index("second hang") < told.index("first hang")


def test_services_are_told_by_word(ports):
    seen = [Seen("api", f"api-{n}", health, "why") for n, health in enumerate(Health)]
    told = words(drawn(ports, services=seen)["services"])
    for n, health in enumerate(Health):
        assert f"api api-{n} {health.upper()} why" in told


def test_money_is_told_for_each_experiment_and_the_whole(ports):
    """B3."""
    amounts = {"reserved": "4.1", "spent": "0.3", "released": "3.8", "currency": "EUR",
               "requests": 355}
    for name in ("run", "first"):
        write(ports, RUN, EntryKind.SPEND, name, amounts)
    told = words(drawn(ports)["budget"])
    assert "first 4.1 EUR 0.3 EUR 3.8 EUR 355 the whole run 4.1 EUR" in told


def test_health_and_a_hold_are_told(ports):
    write(ports, RUN, EntryKind.HEALTH, "health", {"score": 0.97, "limit": 0.8, "parts": []})
    there = ports.leases.environment("staging")
    ports.leases.places["staging"] = replace(there, hold="exam week")
    told = words(drawn(ports)["facts"])
    assert "Health before 0.97 (at least 0.8)" in told
    assert "staging (held: exam week)" in told


def test_parts_without_anything_to_say_are_empty(ports):
    told = drawn(ports)
    assert set(PARTS) == set(told)
    assert {"objectives", "guard", "mechanisms", "services", "budget", "checks",
            "files"} == {
        name for name, html in told.items() if not html}


def test_the_headline_names_the_faults_that_are_on(ports):
    ports.leases.rows["lease-first"] = lease(state=LeaseState.ACTIVE)
    ports.leases.rows["lease-beside"] = lease("beside", state=LeaseState.ARMED)
    assert "Fault on: first." == View(look(ports, RUN)).headline


def test_trouble_is_shown_beside_what_was_known(ports):
    told = words(parts(View(look(ports, RUN)), "What is shown may be old: no disk")["status"])
    assert "checkout" in told
    assert "may be old: no disk" in told


def test_files_lead_below_the_page(ports):
    ports.artefacts.put(RUN, "report.html", b"x", "text/html")
    ports.artefacts.put(RUN, "samples.json", json.dumps({}).encode(), "application/json")
    html = drawn(ports)["files"]
    assert 2 == html.count('href="manual_1/files/report.html"')
    assert 1 == html.count('href="manual_1/files/samples.json"')


def test_the_headline_of_a_run_that_waits_says_until_when(tmp_path):
    ports = planned(tmp_path, ("compliance:", "retry_for: 2h\ncompliance:"))
    wait(ports, RUN, Postponed("busy"))
    told = "Postponed for now, no fault is on: busy; it tries again at 2026-01-01T02:05:00+00:00"
    assert told == View(look(ports, RUN)).headline


def test_a_run_that_waits_for_an_approval_says_so_and_then_who_gave_it(tmp_path):
    """S6: who approved, or did not, stands on the page and in the report."""
    ports = needs_approval(tmp_path)
    assert "approval" not in words(drawn(ports)["phases"])
    ask(ports, RUN)
    assert "Waits for an approval: its impact is 70" in words(drawn(ports)["status"])
    assert "approval now Waits for a person, as its impact" in words(drawn(ports)["phases"])
    yes(ports)
    assert "No fault is on" in words(drawn(ports)["status"])
    assert "Approval approved by lead, 2026-01-01 02:00:00 UTC" in words(drawn(ports)["facts"])
    assert "approval done approved by lead" in words(drawn(ports)["phases"])
    told = dict(facts(ports, RUN, suite_of(ports, RUN)))
    assert "approved by lead, 2026-01-01 02:00:00 UTC" == told["Approval"]
