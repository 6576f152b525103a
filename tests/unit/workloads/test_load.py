"""How a workload ends: everything is read back, or it is said how much was not."""

import threading
from random import Random

import pytest

from holdfast.history.recorder import Recorder
from holdfast.ports.workloads import Unanswered
from holdfast.workloads._load import Load
from holdfast.workloads._pace import Pace
from holdfast.workloads._run import WORKLOADS
from support.ports import FakeClock


class Database:
    """Answers until it is away; each answer takes `takes` seconds."""

    def __init__(self, clock, answers, takes=0.0):
        self.clock, self.answers, self.takes, self.asked = clock, answers, takes, 0
        self.pauses = []

    def __call__(self, pace):
        self.pauses.append(pace.pause)
        return self

    def transact(self, work):
        self.asked += 1
        self.clock.sleep(self.takes)
        if self.asked > self.answers:
            raise Unanswered("away")
        return [["r", 0, []]]

    def close(self):
        pass


@pytest.fixture
def ends(tmp_path):
    """What becomes of a load that only reads back, from a database like that."""
    def act(**database):
        clock = FakeClock()
        there = Database(clock, **database)
        workload = WORKLOADS["list_append"](Random(1))
        for _ in range(3000):
            workload.next()
        with Recorder(tmp_path / "h.jsonl", clock) as recorder:
            load = Load(workload, there, recorder, Pace(1, 1, 0.0, "serializable", 9.0), clock)
            load.run(threading.Event())
        return load, there, clock
    return act


def test_a_database_that_answers_is_read_back_whole(ends):
    load, _, _ = ends(answers=99)
    assert (load.last, 0) == (load.last, load.unread)
    assert load.last > 3


def test_what_was_not_read_back_is_counted_and_not_waited_for_one_by_one(ends):
    load, _, clock = ends(answers=2, takes=4.0)
    assert load.last - 2 == load.unread
    assert clock.passed < 45, "every read after the time was tried once more"


def test_last_reads_know_no_pause(ends):
    """A long one would outlast the limit of the statement behind it."""
    _, there, _ = ends(answers=99)
    assert [9.0, 0.0] == there.pauses
