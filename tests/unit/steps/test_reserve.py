"""Taking the environment, and the start on record before any fault (E1)."""

import pytest

from holdfast.errors import EvidenceError, Postponed
from holdfast.model.run import EntryKind
from holdfast.steps.book import plan_of
from holdfast.steps.plan import PLAN
from holdfast.steps.reserve import RUN_START, reserve
from support.runs import RUN, planned


def test_the_environment_is_locked_and_the_start_is_signed_with_who_and_what(tmp_path):
    ports = planned(tmp_path, request={"triggered_by": "ada"})
    reserve(ports, RUN)
    start = ports.notary.statements[-1]
    assert RUN == ports.leases.environment("staging").locked_by
    assert (RUN_START, "ada", plan_of(ports, RUN)["digest"], ["dora:art-24.4"]) == (
        start.predicate_type, start.predicate["triggered_by"], start.predicate["plan_digest"],
        start.predicate["controls"],
    )


def test_the_plan_is_on_record_before_the_start(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    assert [PLAN, RUN_START] == [r.predicate_type for r in ports.notary.records(RUN)]


def test_reserving_again_signs_nothing_twice(tmp_path):
    ports = planned(tmp_path)
    reserve(ports, RUN)
    reserve(ports, RUN)
    assert 2 == len(ports.notary.log)


def test_the_epoch_is_remembered(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", RUN)
    ports.leases.stop(None)
    reserve(ports, RUN)
    (entry,) = ports.books.read(RUN, EntryKind.RESERVED)
    assert {"epoch": 1} == entry.data


def test_of_two_runs_the_second_is_postponed_and_not_on_record(tmp_path):
    ports = planned(tmp_path)
    ports.leases.lock("staging", "nightly--1")
    with pytest.raises(Postponed, match="nightly--1"):
        reserve(ports, RUN)
    assert [PLAN] == [r.predicate_type for r in ports.notary.log]


def test_a_start_that_cannot_be_put_on_record_gives_the_environment_back(tmp_path):
    ports = planned(tmp_path)
    ports.notary.broken = "disk full"
    with pytest.raises(EvidenceError):
        reserve(ports, RUN)
    assert "" == ports.leases.environment("staging").locked_by
