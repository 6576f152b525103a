"""Reading a workload's log."""

import json

import pytest

from holdfast.clients.history import lines, operations
from holdfast.errors import CheckError
from holdfast.model.operation import Operation


def line(index, at, kind, process=0, value="k", **more):
    return json.dumps({"index": index, "time": round(at * 1e9), "type": kind, "process": process,
                       "f": "order", "value": value} | more) + "\n"


@pytest.fixture
def log(tmp_path):
    def write(*content):
        path = tmp_path / "orders.jsonl"
        path.write_text("".join(content))
        return path

    return write


def test_an_operation_is_an_invocation_and_its_completion(log):
    path = log(line(0, 10.2, "invoke", intended=10_000_000_000), line(1, 10.5, "ok"))
    assert [Operation(0, 0, "order", "k", 10.0, 10.2, 10.5, "ok")] == operations(path, 0)


def test_operations_of_several_processes_are_told_apart(log):
    path = log(line(0, 1, "invoke", 1), line(1, 2, "invoke", 2), line(2, 3, "fail", 1, error="503"),
               line(3, 4, "info", 2))
    assert [("fail", "503", 3.0), ("info", "", 4.0)] == [
        (o.outcome, o.error, o.completed) for o in operations(path, 0)]


def test_without_a_completion_nobody_knows(log):
    path = log(line(0, 1, "invoke"), line(1, 2, "invoke"), line(2, 3, "ok"))
    assert [("info", None), ("ok", 3.0)] == [
        (o.outcome, o.completed) for o in operations(path, 0)]


def test_the_history_is_cut_by_when_operations_were_sent(log):
    path = log(line(0, 1, "invoke", 1), line(1, 5, "invoke", 2), line(2, 6, "ok", 1),
               line(3, 6, "ok", 2), line(4, 9, "invoke", 1))
    assert [1] == [o.index for o in operations(path, 2, 9)]


def test_a_torn_last_line_is_left_out(log):
    path = log(line(0, 1, "invoke"), line(1, 2, "ok"), line(2, 3, "invoke")[:-9])
    assert 1 == len(operations(path, 0))


@pytest.mark.parametrize("damaged", [
    "{\n", "[]\n", "\n", '{"time": 1, "process": 0}\n', line(0, 1, "maybe"),
    '{"time": "x", "process": 0, "type": "ok"}\n',
])
def test_a_damaged_line_is_named_by_its_number(log, damaged):
    path = log(line(0, 1, "invoke"), damaged, line(1, 2, "ok"))
    with pytest.raises(CheckError, match="line 2 is damaged"):
        operations(path, 0)


def test_a_history_that_is_not_there_says_so(tmp_path):
    with pytest.raises(CheckError, match="cannot be read"):
        operations(tmp_path / "none.jsonl", 0)


def test_a_long_history_is_read_from_near_the_cut(log):
    """Hours of load before the run are not parsed: a damaged line there is not met."""
    kinds = enumerate(("invoke", "ok") * 4000)
    many = [line(n, n / 2, kind) for n, kind in kinds]
    many[100] = "damaged\n"
    path = log(*many)
    assert [3990.0 + n for n in range(10)] == [o.invoked for o in operations(path, 3990)]


def test_the_slice_of_a_run_is_copied_as_it_is(log):
    content = [line(0, 1, "invoke"), line(1, 2, "ok"), line(2, 3, "invoke")]
    assert "".join(content[1:]).encode() == lines(log(*content), 2)


def test_what_was_logged_before_the_machine_was_started_anew_does_not_count(log):
    content = [line(n, 9000 + n, kind) for n, kind in enumerate(("invoke", "ok") * 900)]
    content += [line(0, 50, "invoke"), line(1, 51, "ok")]
    path = log(*content)
    assert ([50.0], "".join(content[-2:]).encode()) == (
        [o.invoked for o in operations(path, 40)], lines(path, 40))
