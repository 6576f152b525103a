"""What a person sees while a run goes on."""

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.cli.progress import Asked, Progress
from holdfast.model.lease import End, Lease, LeaseState, Reason, Revocation
from holdfast.model.run import Entry, EntryKind
from holdfast.spec.load import LoadedSuite
from support.one_suite import SUITE
from support.ports import FakeMetrics, memory_ports

LOADED = LoadedSuite(SUITE, "sha256:1", Path("s.suite.yaml"))


class OneLease:
    """A lease store with one row, which a test changes."""

    def __init__(self, lease):
        self.lease = lease

    def leases(self, **_):
        return [self.lease]


def lease(state, **facts):
    return Lease(
        "1", "s--r", 0, "a", "e", "noop", "api", "h", "b", 0, 5.0, 5.0, 0.0, "", state, **facts
    )


@pytest.fixture
def seen(tmp_path, capsys):
    ports = memory_ports(tmp_path, metrics=FakeMetrics({"q": 0.25}))

    def look(row, *entries):
        store = OneLease(row)
        for entry in entries:
            ports.books.write(entry)
        changed = memory_ports(
            tmp_path, leases=store, books=ports.books, metrics=FakeMetrics({"q": 0.25})
        )
        with Progress(changed, Asked(LOADED, "r", timedelta(minutes=1))) as progress:
            progress.show()
            progress.show()
        return capsys.readouterr().out

    return look


def test_the_run_id_is_the_suite_and_a_slug_of_airflows_id():
    asked = Asked(LOADED, "manual__2026-01-01T00:00:00+00:00", timedelta(1))
    assert "s--manual__2026-01-01T00_00_00_00_00" == asked.run_id


def test_an_active_fault_shows_the_guards_readings_in_the_authors_unit(seen):
    assert "guard  errors 25% (< 1%)" in seen(lease(LeaseState.ACTIVE))


def test_each_event_is_said_once(seen):
    assert 1 == seen(lease(LeaseState.ARMED)).count("armed")


def test_a_revert_says_why(seen):
    revoked = Revocation(Reason.BREACH, "errors was 25%", "guard", "")
    text = seen(lease(LeaseState.REVERTING, ended=End.REVOKED, revoked=revoked))
    assert "a: noop reverting (revoked: errors was 25%)" in text


def test_a_clean_end_names_the_lease_margin(seen):
    assert "lease margin 4.40s" in seen(lease(LeaseState.CLEAN, widest_gap=0.6))


@pytest.mark.parametrize(("broken", "line"), [
    ([], "round 1: steady"), (["errors is 2%"], "round 1: not steady: errors is 2%")])
def test_a_round_is_steady_or_says_why_not(seen, broken, line):
    entry = Entry("s--r", EntryKind.STEADY, "round-1", {"broken": broken}, "")
    assert line in seen(lease(LeaseState.ARMED), entry)


def test_a_finding_is_told_with_its_verdict_and_sentence(seen):
    entry = Entry("s--r", EntryKind.FINDING, "fault", {"verdict": 0, "text": "it held"}, "a")
    assert "a: fault HELD: it held" in seen(lease(LeaseState.ARMED), entry)


ASKED = {"plan": "sha256:1", "why": "its impact is 60", "until": "2026-01-01T02:30:00+00:00"}


@pytest.mark.parametrize(("name", "data", "line"), [
    ("asked", ASKED | {"by": []}, "waits for an approval until 2026-01-01 02:30:00 UTC, because "
     "its impact is 60: another person may approve plan sha256:1 at Airflow under Required "
     "Actions, or by holdfast approve s--r --as NAME"),
    ("asked", ASKED | {"by": ["lead", "cto"]}, "60: lead, cto may approve plan"),
    ("answer", {"answer": "approved", "by": "lead", "why": ""}, "plan approved by lead\n"),
    ("answer", {"answer": "timed_out", "by": "", "why": ""}, "plan timed out\n"),
    ("answer", {"answer": "refused", "by": "cto", "why": "no"}, "plan refused by cto: no\n"),
    ("not counted", {"why": "sre has triggered it"}, "a yes that does not count: sre has"),
])
def test_a_run_says_that_it_waits_for_whom_and_what_came_of_it(seen, name, data, line):
    """S6."""
    entry = Entry("s--r", EntryKind.APPROVAL, name, data, "")
    assert line in seen(lease(LeaseState.ARMED), entry)
