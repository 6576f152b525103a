"""K1: the score of a service, from the books of its runs and what Prometheus still has."""

from dataclasses import replace

from holdfast.errors import CheckError
from holdfast.model.lease import LeaseState
from holdfast.model.run import Entry, EntryKind, Run, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.steps.book import write_finding
from holdfast.steps.recover import recover
from holdfast.steps.score import score, tried_in
from support import suites
from support.after import ended, put_lease
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL, planned

T0, DAY = START.timestamp(), 86_400


def earlier(ports, run_id="checkout--old", started="2025-12-30T02:00:00+00:00", **changes):
    """A run of another night, one fault in it, as its book has it."""
    run = Run(run_id, "checkout", "staging", "sre", "sha256:0", started, 0.0, RunState.ENDED,
              Verdict.HELD, ended_at=started.replace("02:00", "02:05"))
    ports.books.open_run(replace(run, **changes))
    data = {"injected": True, "recovered": True, "source": "history", "detection_ms": 40,
            "recovery_from_revert_ms": 3000, "ended": "duration"}
    ports.books.write(Entry(run_id, EntryKind.RECOVERY, "recovery", data, "second", started))
    for finding in (
        Finding("fault", Verdict.HELD, "ran", "second"),
        Finding("recovery", Verdict.HELD, "in time", "second", {"recovery_ms": 3000}),
    ):
        write_finding(ports, run_id, finding)


def told(ports):
    score(ports, RUN)
    (entry,) = ports.books.read(RUN, EntryKind.SCORE)
    return entry.name, entry.data


def part(data, name):
    return next(p for p in data["parts"] if p["name"] == name)


def test_a_run_without_a_fault_has_no_score_and_says_so(tmp_path):
    name, data = told(planned(tmp_path))
    assert ("resilience", None, []) == (name, data["score"], list(data["runs"]))
    assert "no fault was injected" in data["text"]


def test_runs_of_the_window_count_and_others_do_not(tmp_path):
    ports = planned(tmp_path)
    earlier(ports)
    earlier(ports, "checkout--older", "2025-12-20T02:00:00+00:00")
    earlier(ports, "other--1", suite="other")
    earlier(ports, "checkout--elsewhere", environment="prod")
    _, data = told(ports)
    assert (("checkout--old",), 7) == (tuple(data["runs"]), data["window_days"])
    assert ("checkout--old",) == tuple(part(data, "time to repair")["runs"])


def test_what_this_run_showed_counts_before_its_verdict(tmp_path):
    ports = ended(tmp_path)
    recover(ports, RUN, "second", "lease-second")
    _, data = told(ports)
    assert (RUN,) == tuple(data["runs"])
    assert "1 of 1 held" in part(data, "experiment success")["text"]


def test_an_aborted_fault_counts_as_broken(tmp_path):
    ports = ended(tmp_path)
    recover(ports, RUN, "second", "lease-second")
    write_finding(ports, RUN, Finding("fault", Verdict.BROKEN, "latency was 2s", "second"))
    assert "BROKEN: second" in part(told(ports)[1], "experiment success")["text"]


def test_a_fault_that_a_person_stopped_was_not_recovered_without_help(tmp_path):
    ports = planned(tmp_path)
    earlier(ports)
    (entry,) = ports.books.read("checkout--old", EntryKind.RECOVERY)
    ports.books.write(replace(entry, data=dict(entry.data) | {"revoked": "stopped"}))
    assert [False] == [t.alone for t in tried_in(ports, ports.books.run("checkout--old"))]


def test_repair_is_measured_as_the_recovery_check_measured_it(tmp_path):
    ports = planned(tmp_path)
    earlier(ports)
    (tried,) = tried_in(ports, ports.books.run("checkout--old"))
    assert (3.0, True, True) == (tried.repair_seconds, tried.felt, tried.alone)


def test_a_fault_nobody_felt_has_nothing_to_repair(tmp_path):
    ports = ended(tmp_path)
    recover(ports, RUN, "second", "lease-second")
    (tried,) = tried_in(ports, ports.books.run(RUN))
    assert (False, None) == (tried.felt, tried.repair_seconds)


def test_a_lease_that_is_not_clean_is_broken(tmp_path):
    ports = ended(tmp_path)
    recover(ports, RUN, "second", "lease-second")
    put_lease(ports, "second", 1, state=LeaseState.UNCLEAN)
    assert [Verdict.BROKEN] == [t.verdict for t in tried_in(ports, ports.books.run(RUN))]


class Lasting(FakeMetrics):
    """Errors as a function of the seconds since the run began; None is no data."""

    def __init__(self, errors):
        super().__init__(WELL)
        self.errors = errors

    def between(self, query, start, end, step):
        self.asked.append((round(start - T0), step))
        times = [start + n * step for n in range(int((end - start) / step) + 1)]
        values = [(at, self.errors(at - T0)) for at in times if query == suites.ERRORS]
        return [(at, value) for at, value in values if value is not None]


def test_availability_and_failures_come_from_prometheus(tmp_path):
    def errors(at):
        return None if at < -4 * DAY else 0.05 if -DAY <= at < -DAY + 180 else 0.0

    ports = planned(tmp_path, metrics=Lasting(errors))
    earlier(ports)
    _, data = told(ports)
    assert "2025-12-31 02:00: errors 5%" in part(data, "time between failures")["text"]
    assert "99.9975 % of requests were good, over 96 h" in part(data, "availability")["text"]


def test_a_series_that_began_just_now_is_read_by_the_second(tmp_path):
    metrics = Lasting(lambda at: 0.0 if at >= -600 else None)
    told(planned(tmp_path, metrics=metrics))
    assert [(-7 * DAY, 60.0), (-660, 1.0)] == list(dict.fromkeys(metrics.asked))


def test_without_prometheus_there_is_no_score_and_the_parts_say_why(tmp_path):
    class Dead(FakeMetrics):
        def between(self, *_):
            raise CheckError("no answer in time")

    ports = planned(tmp_path, metrics=Dead(WELL))
    earlier(ports)
    _, data = told(ports)
    assert (None, "no answer in time") == (
        part(data, "availability")["value"], part(data, "availability")["text"])
    assert data["score"] is None


def test_the_failures_of_another_suites_run_are_not_the_services_own(tmp_path):
    metrics = Lasting(lambda at: None if at < -2 * DAY else 0.9 if -3600 <= at < -3000 else 0.0)
    ports = planned(tmp_path, metrics=metrics)
    earlier(ports, "other--1", "2026-01-01T00:55:00+00:00", suite="other", ended_at="")
    ports.books.write(Entry("other--1", EntryKind.VERDICT, "late", {},
                            at="2026-01-01T01:30:00+00:00"))
    earlier(ports)
    assert "no failure in 47 h" in part(told(ports)[1], "time between failures")["text"]
