"""What workloads send depends on the seed alone, and can be judged."""

from random import Random

import pytest

from holdfast.history.recorder import Refused
from holdfast.ports.checkers import HistoryChecker
from holdfast.registry import Registry
from holdfast.workloads._run import WORKLOADS

CHECKERS = Registry("checkers", "CHECKER")
kinds = pytest.mark.parametrize("kind", WORKLOADS)


def operations(kind, seed=1, count=2000):
    workload = WORKLOADS[kind](Random(seed))
    return workload, [workload.next() for _ in range(count)]


@kinds
def test_the_same_seed_sends_the_same_and_another_does_not(kind):
    assert operations(kind)[1] == operations(kind)[1] != operations(kind, seed=2)[1]


@kinds
def test_its_checker_is_there_and_takes_its_options(kind):
    workload, _ = operations(kind, count=1)
    CHECKERS[workload.checker].options(**workload.options)


@kinds
def test_whoever_can_judge_it_too_is_there(kind):
    workload, _ = operations(kind, count=1)
    assert all(isinstance(CHECKERS[name], HistoryChecker) for name in workload.also)


@pytest.mark.parametrize("kind", ["list_append", "rw_register"])
def test_no_value_of_a_key_is_written_twice(kind):
    _, sent = operations(kind)
    written = [(op[1], op[2]) for txn in sent for op in txn.value if op[0] != "r"]
    assert len(written) == len(set(written)) > 1000


@pytest.mark.parametrize(("kind", "most"), [("list_append", 64), ("rw_register", 100)])
def test_a_key_is_given_up_before_its_history_is_long(kind, most):
    _, sent = operations(kind)
    written = [op[1] for txn in sent for op in txn.value if op[0] != "r"]
    assert max(map(written.count, set(written))) <= most


@pytest.mark.parametrize("kind", ["list_append", "rw_register", "register"])
def test_in_the_end_every_key_is_read(kind):
    workload, sent = operations(kind)
    keys = ({op[1] for txn in sent for op in txn.value} if kind != "register"
            else {op.value[0] for op in sent})
    last = workload.last()
    read = ({op[1] for txn in last for op in txn.value} if kind != "register"
            else {op.value[0] for op in last})
    assert keys <= read


def test_a_transfer_that_would_overdraw_is_refused_before_it_writes():
    workload, sent = operations("bank")
    transfer = next(op for op in sent if op.f == "transfer")
    asked = []

    def ask(statement, *values):
        asked.append(statement)
        return [(0,)]

    with pytest.raises(Refused, match="overdraw"):
        workload.send(ask, transfer)
    assert all(statement.startswith("SELECT") for statement in asked)


def test_a_change_of_a_register_that_holds_another_value_is_refused():
    workload, sent = operations("register")
    change = next(op for op in sent if op.f == "cas")
    with pytest.raises(Refused, match="another value"):
        workload.send(lambda *_: [], change)
