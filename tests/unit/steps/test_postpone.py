"""A refused run says why, tells somebody, and is no failure (S1, N1)."""

from holdfast.model.run import Notice, RunState
from holdfast.steps.postpone import postpone
from support.ports import memory_ports
from support.runs import RUN, planned


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


def test_a_run_that_was_never_opened_is_left_alone(tmp_path):
    ports = memory_ports(tmp_path)
    postpone(ports, RUN, "busy")
    assert [] == ports.notifier.told
