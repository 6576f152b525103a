"""A refused run says why, tries again if it may, tells somebody, and is no failure (S1, N1)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from holdfast.errors import Postponed, Stopped, TooLate
from holdfast.model.run import EntryKind, Notice, RunState
from holdfast.steps.live import look
from holdfast.steps.postpone import come_back, postpone, wait, waits
from holdfast.steps.preflight import preflight
from holdfast.steps.reserve import reserve
from holdfast.steps.stops import write_stop
from support.ports import START, FakeMetrics, memory_ports
from support.runs import RUN, WELL, planned

TWO_HOURS = ("compliance:", "retry_for: 2h\ncompliance:")
MONEY = ("compliance:", "traffic: {requests: r, hit: h}\n"
         "budget: {most_requests_per_second: 9}\ncompliance:")


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def test_a_postponed_run_is_closed_with_its_reason_and_somebody_is_told(tmp_path):
    ports = planned(tmp_path)
    postpone(ports, RUN, "busy")
    run = ports.books.run(RUN)
    assert (RunState.POSTPONED, "busy", "2026-01-01T02:00:00+00:00") == (
        run.state, run.reason, run.ended_at
    )
    assert [Notice("postponed", RUN, "checkout", "busy")] == ports.notifier.told


def test_saying_it_again_tells_nobody_twice(tmp_path):
    ports = planned(tmp_path)
    postpone(ports, RUN, "busy")
    postpone(ports, RUN, "busy")
    assert 1 == len(ports.notifier.told)


def test_where_its_start_is_on_record_its_end_is_too(tmp_path):
    """E1: else it looks as if its end was hidden; no later task may come to sign it."""
    ports = planned(tmp_path)
    postpone(ports, RUN, "ill")
    assert "result" not in kinds(ports)
    ports = planned(tmp_path / "begun")
    reserve(ports, RUN)
    for _ in range(2):
        postpone(ports, RUN, "too few witnesses")
    assert ["plan", "run-start", "result"] == kinds(ports)
    result = ports.notary.statements[-1].predicate
    assert (True, "too few witnesses") == (result["is_postponed"], result["reason"])


def kinds(ports):
    return [r.predicate_type.split("/")[-2] for r in ports.notary.records(RUN)]


def test_a_run_that_was_never_opened_is_left_alone(tmp_path):
    ports = memory_ports(tmp_path)
    postpone(ports, RUN, "busy")
    assert [] == ports.notifier.told
    assert None is wait(ports, RUN, Postponed("busy"))


@pytest.mark.parametrize(("changes", "request_", "why"), [
    pytest.param((), {}, Postponed("busy"), id="its-suite-does-not-say-so"),
    pytest.param((TWO_HOURS,), {"dry_run": True}, Postponed("busy"), id="a-dry-run-answers-now"),
    pytest.param((TWO_HOURS,), {}, TooLate("due long ago"), id="it-is-of-no-use"),
    pytest.param((TWO_HOURS,), {}, Postponed("closed", opens=minutes(121)), id="too-far-away"),
])
def test_a_run_does_not_try_again(tmp_path, changes, request_, why):
    ports = planned(tmp_path, *changes, request=request_)
    assert None is wait(ports, RUN, why)
    assert [] == waits(ports, RUN)


def test_every_five_minutes_until_its_time_is_over_and_each_try_is_in_the_book(tmp_path):
    ports = planned(tmp_path, TWO_HOURS)
    tries = 0
    while (again := wait(ports, RUN, Postponed(f"busy {tries}"))) is not None:
        tries += 1
        assert minutes(5 * tries) == again
        ports.clock.passed = (again - START).total_seconds()
    assert 24 == tries == len(waits(ports, RUN))
    assert {"reason": "busy 1", "again": "2026-01-01T02:10:00+00:00",
            "until": "2026-01-01T04:00:00+00:00"} == waits(ports, RUN)[1].data


def test_oftener_when_it_tries_for_less_than_an_hour(tmp_path):
    ports = planned(tmp_path, ("compliance:", "retry_for: 12m\ncompliance:"))
    assert minutes(1) == wait(ports, RUN, Postponed("busy"))


@pytest.mark.parametrize(("opens", "again"), [(90, 90), (120, 120), (-1, 0)])
def test_when_it_is_known_when_the_window_opens_it_tries_then(tmp_path, opens, again):
    ports = planned(tmp_path, TWO_HOURS)
    assert minutes(again) == wait(ports, RUN, Postponed("closed", opens=minutes(opens)))


def test_a_run_that_waits_holds_neither_environment_nor_money_and_its_page_says_so(tmp_path):
    ports = planned(tmp_path, TWO_HOURS, MONEY)
    reserve(ports, RUN)
    assert "" == look(ports, RUN).waits
    wait(ports, RUN, Postponed("ill"))
    assert "" == ports.leases.environment("staging").locked_by
    assert [] == ports.ledger.unsettled()
    assert "ill; it tries again at 2026-01-01T02:05:00+00:00" == look(ports, RUN).waits
    postpone(ports, RUN, "ill")
    assert "" == look(ports, RUN).waits


def test_coming_back_it_takes_environment_and_money_again_and_measures_anew(tmp_path):
    ports = planned(tmp_path, TWO_HOURS, MONEY, metrics=FakeMetrics(WELL))
    reserve(ports, RUN)
    wait(ports, RUN, Postponed("ill"))
    come_back(ports, RUN)
    assert RUN == ports.leases.environment("staging").locked_by
    assert [RUN] == ports.ledger.unsettled()
    assert [] == ports.books.read(RUN, EntryKind.BASELINE)
    wait(ports, RUN, Postponed("not steady"))
    come_back(ports, RUN, measure=True)
    assert [] != ports.books.read(RUN, EntryKind.BASELINE)


@pytest.mark.parametrize("has_it", [True, False])
def test_a_run_that_never_waited_or_has_its_environment_has_nothing_to_take(tmp_path, has_it):
    ports = planned(tmp_path, TWO_HOURS, metrics=FakeMetrics())  # preflight would not like that
    if has_it:
        wait(ports, RUN, Postponed("busy"))
        reserve(ports, RUN)
    come_back(ports, RUN)


def test_coming_back_may_be_postponed_once_more(tmp_path):
    ports = planned(tmp_path, TWO_HOURS)
    wait(ports, RUN, Postponed("ill"))
    ports.leases.lock("staging", "another--run")
    with pytest.raises(Postponed, match="environment staging is busy"):
        come_back(ports, RUN)


@pytest.mark.parametrize("step", [come_back, preflight])
def test_a_run_that_was_stopped_while_it_waited_does_not_come_back(tmp_path, step):
    ports = planned(tmp_path, TWO_HOURS)
    wait(ports, RUN, Postponed("busy"))
    at = datetime(2026, 1, 1, 2, 1, tzinfo=UTC).isoformat()
    write_stop(ports.settings.stops, "ada", "changed my mind", at, RUN)
    with pytest.raises(Stopped, match="changed my mind"):
        step(ports, RUN)


def test_money_that_was_given_back_is_not_spent_twice(tmp_path):
    ports = planned(tmp_path, TWO_HOURS, MONEY)
    for _ in range(3):
        reserve(ports, RUN)
        wait(ports, RUN, Postponed("ill"))
    assert Decimal(0) == sum(
        (1 if p.target.value == "reserved" else -1) * p.amount for p in ports.ledger.posted)
