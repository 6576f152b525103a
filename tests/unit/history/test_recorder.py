"""A history is recorded before its operations are sent (R6)."""

import json
import os
import threading
from datetime import timedelta

import pytest

from holdfast.clock import SystemClock
from holdfast.errors import SpecError
from holdfast.history.columns import FAIL, INFO, OK
from holdfast.history.open import open_history
from holdfast.history.recorder import Fsync, Recorder, Refused


@pytest.fixture
def path(tmp_path):
    return tmp_path / "h.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_invocation_is_in_the_file_before_the_call_is_sent(path):
    with Recorder(path, SystemClock()) as recorder, recorder.client().call("add", 5):
        assert [("invoke", "add", 5)] == [(r["type"], r["f"], r["value"]) for r in rows(path)]


def test_what_was_answered_is_the_value(path):
    with Recorder(path, SystemClock()) as recorder, recorder.client().call("read") as call:
        call.value = [1, 2]
    assert [None, [1, 2]] == [r["value"] for r in rows(path)]


def test_a_refusal_surely_did_not_happen(path):
    with Recorder(path, SystemClock()) as recorder:
        client = recorder.client()
        with client.call("add", 1):
            raise Refused("409")
        with client.call("add", 2):
            pass
    assert [("invoke", 0), ("fail", 0), ("invoke", 0), ("ok", 0)] == [
        (r["type"], r["process"]) for r in rows(path)]


@pytest.mark.parametrize("error", [TimeoutError, ConnectionError, KeyboardInterrupt])
def test_after_any_other_error_nobody_knows_and_the_process_retires(path, error):
    with Recorder(path, SystemClock()) as recorder:
        client = recorder.client()
        with pytest.raises(error), client.call("add", 1):
            raise error("late")
        with client.call("add", 2):
            pass
    assert [("invoke", 0), ("info", 0), ("invoke", 1), ("ok", 1)] == [
        (r["type"], r["process"]) for r in rows(path)]


def test_nothing_is_sent_when_its_line_cannot_be_written(path):
    recorder, sent = Recorder(path, SystemClock()), []
    client = recorder.client()
    recorder.__exit__(None, None, None)
    with pytest.raises(OSError, match="descriptor"), client.call("add", 1):
        sent.append(1)
    assert [] == sent


def test_a_history_that_is_there_is_not_touched(path):
    path.write_text("old")
    with pytest.raises(SpecError, match="cannot be written"):
        Recorder(path, SystemClock())
    assert "old" == path.read_text()


def test_each_line_is_forced_to_the_disk_when_asked(path, monkeypatch):
    forced = []
    monkeypatch.setattr(os, "fsync", forced.append)
    with Recorder(path, SystemClock(), Fsync.EACH) as recorder, recorder.client().call("add", 1):
        assert 1 == len(forced)
    assert 2 == len(forced)


def test_many_threads_write_one_history_that_holds_together(path):
    with Recorder(path, SystemClock()) as recorder:
        threads = [threading.Thread(target=work, args=(recorder, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timedelta(seconds=30).total_seconds())
    history = open_history(path).history
    outcomes = history.outcomes(history.invocations).tolist()
    assert [8 * 25] * 3 == [outcomes.count(kind) for kind in (OK, FAIL, INFO)]


def work(recorder, number):
    client = recorder.client()
    for n in range(75):
        error = (None, Refused("no"), TimeoutError("late"))[n % 3]
        try:
            with client.call("add", number * 100 + n):
                if error:
                    raise error
        except TimeoutError:
            pass
