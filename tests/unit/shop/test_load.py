"""The load's words: what it may call done, not done, or unknown (R6)."""

import json
from collections import Counter
from random import Random

import pytest

from shop.load.figures import Figures
from shop.load.history import History, Invocation, Processes
from shop.load.operations import NAMES, pick
from shop.load.outcome import SURELY_FIRST_SECONDS, Outcome, of_answer, of_error

_LATE = SURELY_FIRST_SECONDS + 0.01


@pytest.mark.parametrize(("status", "refused", "after", "kind"), [
    pytest.param(201, False, 0.1, "ok", id="acknowledged"),
    pytest.param(409, False, 0.1, "fail", id="refused-by-rule"),
    pytest.param(422, False, 9.9, "fail", id="malformed"),
    pytest.param(503, True, 0.1, "fail", id="refused-before-a-write"),
    pytest.param(503, True, _LATE, "info", id="refused-maybe-only-the-second-sending"),
    pytest.param(503, False, 0.1, "info", id="the-front-does-not-know"),
    pytest.param(502, False, 0.1, "info", id="broken-in-the-middle"),
    pytest.param(504, False, 0.1, "info", id="no-answer-in-time"),
    pytest.param(500, False, 0.1, "info", id="an-error-of-the-api"),
])
def test_only_a_definite_refusal_is_a_failure(status, refused, after, kind):
    assert kind == of_answer(status, refused, after).type


def test_a_request_that_was_never_sent_failed_and_one_without_answer_is_unknown():
    assert Outcome("fail", "OSError") == of_error(OSError(), sent=False)
    assert Outcome("info", "TimeoutError") == of_error(TimeoutError(), sent=True)


def test_an_operation_is_two_lines_with_the_same_value(tmp_path):
    file = tmp_path / "history" / "orders.jsonl"
    operation = Invocation(3, "order", "key-1", sent_ns=20, intended_ns=10)
    with History(file) as history:
        history.invoke(operation)
        history.complete(operation, Outcome("info", "late"), 30)
    common = {"process": 3, "f": "order", "value": "key-1"}
    assert [
        {"index": 0, "time": 20, "intended": 10, "type": "invoke", **common},
        {"index": 1, "time": 30, "type": "info", "error": "late", **common},
    ] == [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_in_the_file_before_anything_else_happens(tmp_path):
    file = tmp_path / "orders.jsonl"
    with History(file) as history:
        history.invoke(Invocation(0, "browse", None, 1, 1))
        assert file.read_text().endswith("\n")


def test_a_load_that_starts_again_goes_on_with_new_indexes_and_processes(tmp_path):
    file = tmp_path / "orders.jsonl"
    with History(file) as first:
        first.invoke(Invocation(0, "browse", None, 1, 1))
    with History(file) as again:
        again.invoke(Invocation(Processes(again.lines).take(), "browse", None, 2, 2))
    last = json.loads(file.read_text().splitlines()[-1])
    assert (1, 1) == (last["index"], last["process"])


def test_a_process_has_one_operation_at_a_time_and_retires_after_doubt():
    processes = Processes()
    assert [0, 1] == [processes.take(), processes.take()]
    processes.give_back(0, Outcome("info"))
    processes.give_back(1, Outcome("ok"))
    assert [1, 2] == [processes.take(), processes.take()]


def test_orders_are_the_majority_and_every_key_is_new():
    chance = Random(7)
    drawn = [pick(chance) for _ in range(2000)]
    counts = Counter(r.f for r in drawn)
    keys = [r.body["key"] for r in drawn if r.body]
    assert 1300 < counts["order"] < 1500
    assert set(NAMES) == set(counts)
    assert len(keys) == len(set(keys))


def test_nobody_pays_himself():
    chance = Random(7)
    transfers = [r for r in (pick(chance) for _ in range(500)) if r.f == "transfer"]
    assert all(t.body["source"] != t.body["target"] for t in transfers)


def test_a_transfer_says_in_the_history_what_it_moves():
    chance = Random(7)
    transfer = next(r for r in iter(lambda: pick(chance), None) if r.f == "transfer")
    assert {"key", "source", "target", "amount"} == set(transfer.value)
    assert transfer.body == transfer.value


def test_an_account_is_read_as_the_load():
    chance = Random(7)
    reading = next(r for r in iter(lambda: pick(chance), None) if r.f == "account")
    assert ("GET", {"X-Reader": "load"}) == (reading.method, reading.headers)


def test_about_two_in_a_hundred_operations_go_over_tls():
    chance = Random(7)
    assert 60 < sum(pick(chance).secure for _ in range(4000)) < 100


@pytest.mark.parametrize(("outcome", "seconds", "hit"), [
    pytest.param("ok", 0.1, 0, id="well"),
    pytest.param("ok", 0.51, 1, id="slow"),
    pytest.param("fail", 0.1, 1, id="failed"),
    pytest.param("info", 3.0, 1, id="unknown-and-slow-is-one"),
])
def test_a_customer_is_hit_by_a_failure_or_by_a_long_wait(outcome, seconds, hit):
    figures = Figures()
    figures.done("order", outcome, seconds)
    value = figures.registry.get_sample_value
    assert (1, hit) == (value("shop_load_requests_total"), value("shop_load_hit_total"))


def test_latency_is_told_by_operation():
    figures = Figures()
    figures.done("browse", "ok", 0.1)
    counts = [
        figures.registry.get_sample_value("shop_load_latency_seconds_count", {"operation": name})
        for name in NAMES
    ]
    assert [name == "browse" for name in NAMES] == counts


def test_every_outcome_is_there_as_zero_from_the_start():
    registry = Figures().registry
    labels = {"operation": "order", "outcome": "info"}
    assert 0 == registry.get_sample_value("shop_load_operations_total", labels)
