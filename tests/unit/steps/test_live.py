"""S5: what is known of a run while it goes on."""

from dataclasses import replace
from decimal import Decimal

import pytest

from holdfast.model.lease import LeaseState, Reason
from holdfast.model.ledger import Claim
from holdfast.model.run import Entry, EntryKind, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import write, write_finding
from holdfast.steps.live import Standing, look
from support.runs import RUN, lease, planned


def standings(live):
    return {phase.name: phase.standing.value for phase in live.phases}


def recovered(ports, experiment, verdict=Verdict.HELD):
    write_finding(ports, RUN, Finding("fault", verdict, "it ran its time", experiment))
    ports.books.write(Entry(RUN, EntryKind.RECOVERY, "recovery", {}, experiment))


def end(ports, **changes):
    ports.books.close_run(replace(ports.books.run(RUN), **changes))


def test_a_run_without_a_book_is_not_known_yet(tmp_path):
    assert look(planned(tmp_path), "checkout--other") is None


def test_a_run_that_was_planned_waits_for_its_baseline(tmp_path):
    assert {
        "plan": "done", "baseline": "now", "first": "waiting", "beside": "waiting",
        "second": "waiting", "data": "waiting", "evidence": "waiting", "report": "waiting",
        "verdict": "waiting",
    } == standings(look(planned(tmp_path), RUN))


@pytest.mark.parametrize("state", [s for s in LeaseState if s is not LeaseState.CLEAN])
def test_a_fault_that_is_not_clean_is_now_and_says_how(tmp_path, state):
    ports = planned(tmp_path)
    ports.leases.rows["lease-first"] = lease(state=state)
    phase = next(p for p in look(ports, RUN).phases if p.name == "first")
    assert Standing.NOW is phase.standing
    assert phase.text


def test_a_clean_fault_recovers_and_then_has_its_verdict(tmp_path):
    ports = planned(tmp_path)
    ports.leases.rows["lease-first"] = lease()
    phases = {p.name: p for p in look(ports, RUN).phases}
    assert (Standing.NOW, None) == (phases["first"].standing, phases["first"].verdict)
    recovered(ports, "first", Verdict.BROKEN)
    phases = {p.name: p for p in look(ports, RUN).phases}
    assert (Standing.DONE, Verdict.BROKEN, "it ran its time") == (
        phases["first"].standing, phases["first"].verdict, phases["first"].text)


def test_data_that_was_checked_has_a_verdict_of_its_own(tmp_path):
    ports = planned(tmp_path)
    write_finding(ports, RUN, Finding("lost_writes-orders", Verdict.BROKEN, "2 are lost"))
    phase = next(p for p in look(ports, RUN).phases if p.name == "data")
    assert (Standing.DONE, Verdict.BROKEN) == (phase.standing, phase.verdict)


def test_what_a_postponed_run_did_not_do_was_left_out(tmp_path):
    ports = planned(tmp_path)
    end(ports, state=RunState.POSTPONED, reason="busy")
    live = look(ports, RUN)
    assert {"done", "left out"} == set(standings(live).values())
    assert live.is_over


def test_a_run_that_has_ended_has_its_verdict_in_the_last_phase(tmp_path):
    ports = planned(tmp_path)
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    assert Verdict.HELD is look(ports, RUN).phases[-1].verdict


def test_each_fault_says_what_would_end_it_and_who_did(tmp_path):
    ports = planned(tmp_path)
    ports.leases.rows["lease-first"] = lease(reason=Reason.STOPPED)
    watched = look(ports, RUN).watched[0]
    assert {"errors": "> 60% for 4s", "latency": ">= 500ms"} == {
        c.name: str(c.stop) for c in watched.conditions}
    assert "ended: a person stopped it" == watched.told.decision


def test_a_lease_of_an_experiment_that_is_no_longer_chosen_does_no_harm(tmp_path):
    ports = planned(tmp_path)
    ports.leases.rows["lease-gone"] = lease("gone")
    assert () == look(ports, RUN).watched[0].conditions


def test_a_stop_is_told_while_the_run_goes_on(tmp_path):
    ports = planned(tmp_path)
    write(ports, RUN, EntryKind.RESERVED, "environment", {"epoch": 0})
    assert "" == look(ports, RUN).stopped
    there = ports.leases.environment("staging")
    ports.leases.places["staging"] = replace(there, hold="exam week")
    assert "environment staging is held: exam week" == look(ports, RUN).stopped


def test_money_is_what_the_ledger_holds_until_it_is_settled(tmp_path):
    """B3: reserved at once, spent when it is known."""
    ports = planned(tmp_path)
    amounts = {"first": Decimal("1.5")}
    ports.ledger.reserve(Claim(RUN, "2026-01-01", "EUR", Decimal(500), amounts))
    told = look(ports, RUN).spends[0]
    assert ("first", "1.5", "0", "EUR") == (told.name, told.reserved, told.spent, told.currency)
    write(ports, RUN, EntryKind.SPEND, "first", {"reserved": "1.5", "spent": "0.2"})
    assert ["0.2"] == [spend.spent for spend in look(ports, RUN).spends]


def test_only_the_report_counts_as_report(tmp_path):
    ports = planned(tmp_path)
    for name in ("report.html", "samples.json"):
        ports.artefacts.put(RUN, name, b"x", "text/plain")
    live = look(ports, RUN)
    assert ["report.html"] == [a.name for a in live.reports]
    assert "done" == standings(live)["report"]
