"""E1: what a run leaves behind, and that it can be checked."""

import hashlib
import json
from dataclasses import replace

from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.head import Head
from holdfast.evidence.trouble import Injection
from holdfast.evidence.verify import Evidence, verify
from holdfast.model.run import RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.spec.rules._base import MOST_EXPERIMENTS
from holdfast.steps.book import write_finding
from holdfast.steps.catalogues import digests
from holdfast.steps.recover import recover
from holdfast.steps.reserve import reserve
from holdfast.steps.seal import seal
from support import suites
from support.after import ended, put_lease, set_state
from support.evidence import roles_of
from support.ports import START, FakeMetrics
from support.runs import RUN, WELL

SERIES = {suites.ERRORS: [(START.timestamp() + s, 0.001) for s in range(30)]}


def _predicate(ports, index):
    return statement_of(read(ports.notary.records()[index].envelope)).predicate


def _names(ports):
    return [a.name for a in ports.artefacts.of(RUN)]


def _troubles(ports):
    def digest(name):
        path = next(ports.artefacts.path(a) for a in ports.artefacts.of(RUN) if a.name == name)
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    log = ports.notary.records()
    evidence = Evidence(log, Head(None), digest)
    return [t.code for t in verify(evidence, RUN, roles_of(ports.notary)).troubles]


def test_journals_history_samples_and_book_are_kept(tmp_path):
    ports = ended(tmp_path)
    seal(ports, RUN)
    assert ["book.json", "history-orders.jsonl", "journal-beside-lease-beside.jsonl",
            "journal-first-lease-first.jsonl", "journal-second-lease-second.jsonl",
            "samples.json"] == _names(ports)


def test_a_sealed_run_is_genuine(tmp_path):
    ports = ended(tmp_path)
    reserve(ports, RUN)
    recover(ports, RUN, "second", "lease-second")
    seal(ports, RUN)
    assert [] == _troubles(ports)


def test_a_file_changed_after_the_seal_is_found(tmp_path):
    ports = ended(tmp_path)
    reserve(ports, RUN)
    seal(ports, RUN)
    book = next(a for a in ports.artefacts.of(RUN) if a.name == "book.json")
    ports.artefacts.path(book).write_text("{}")
    assert ["E_ARTEFACT_MISMATCH"] == _troubles(ports)


def test_the_result_names_plan_start_verdict_and_figures(tmp_path):
    ports = ended(tmp_path)
    reserve(ports, RUN)
    recover(ports, RUN, "second", "lease-second")
    told = _predicate(ports, seal(ports, RUN))
    run = ports.books.run(RUN)
    assert (run.plan_digest, 2, "HELD", ["dora:art-24.4"]) == tuple(
        told[k] for k in ("plan_digest", "start_index", "verdict", "controls"))
    assert digests() == told["catalogues"]
    second = next(e for e in told["experiments"] if e["name"] == "second")
    assert (1_010_000, 4300, 0) == tuple(
        second[k] for k in ("injected_boottime_ms", "lease_margin_ms", "recovery_from_fault_ms"))


def test_the_largest_suite_fits_into_a_record(tmp_path):
    """Every experiment has a journal and mechanisms, and nothing held."""
    ports = ended(tmp_path)
    for n in range(MOST_EXPERIMENTS):
        name = f"{n:02d}-" + "x" * 60
        lease = replace(put_lease(ports), id=f"{n:032d}", experiment=name, boot_id="b" * 36)
        ports.leases.rows[lease.id] = lease
        ports.journals.written[lease.id] = ports.journals.written["lease-first"]
        ports.artefacts.put(RUN, f"mechanisms-{name}.json", b"[]", "application/json")
        for check in ("fault", "recovery", "recovery_point", "blast_radius"):
            write_finding(ports, RUN, Finding(check, Verdict.BROKEN, "why " * 50, name))
    told = _predicate(ports, seal(ports, RUN))
    assert (MOST_EXPERIMENTS + 3, 4 * MOST_EXPERIMENTS, 5) == (
        len(told["experiments"]), told["counts"]["BROKEN"], len(told["findings"]))


def test_a_start_after_the_fault_is_found_from_the_result_alone(tmp_path):
    """E1: register before inject."""
    ports = ended(tmp_path)
    reserve(ports, RUN)
    seal(ports, RUN)
    boot = _predicate(ports, 1)["log"]["boot_id"]
    early = [Injection("lease-first", boot, 1)]
    evidence = Evidence(ports.notary.records(), Head(None), lambda _: None, early)
    troubles = verify(evidence, RUN, roles_of(ports.notary)).troubles
    assert "E_LATE_START" in [t.code for t in troubles]


def test_samples_are_kept_for_every_objective(tmp_path):
    metrics = FakeMetrics(WELL, ranges=SERIES)
    ports = ended(tmp_path, metrics=metrics)
    seal(ports, RUN)
    kept = json.loads((tmp_path / "artefacts" / RUN / "samples.json").read_bytes())
    assert (30, 0) == (len(kept["series"]["errors"]), len(kept["series"]["latency"]))


def test_what_cannot_be_kept_is_named_and_stops_nothing(tmp_path):
    ports = ended(tmp_path)
    (tmp_path / "shop/history/orders.jsonl").unlink()
    ports.journals.written.clear()
    index = seal(ports, RUN)
    book = json.loads((tmp_path / "artefacts" / RUN / "book.json").read_bytes())
    assert 4 == len(book["missing"])
    assert "cannot be read" in book["missing"]["history-orders.jsonl"]
    assert "result/v1" in ports.notary.records()[index].predicate_type


def test_the_report_is_not_part_of_what_is_sealed(tmp_path):
    ports = ended(tmp_path)
    ports.artefacts.put(RUN, "report.html", b"x", "text/html")
    kept = _predicate(ports, seal(ports, RUN))["artefacts"]
    assert "report.html" not in [a["name"] for a in kept]


def test_sealing_again_appends(tmp_path):
    ports = ended(tmp_path)
    first = seal(ports, RUN)
    write_finding(ports, RUN, Finding("lost_writes", Verdict.BROKEN, "2 lost"))
    second = seal(ports, RUN)
    assert ["HELD", "BROKEN"] == [_predicate(ports, i)["verdict"] for i in (first, second)]


def test_a_sealed_result_is_not_made_better_afterwards(tmp_path):
    """E1: a nicer result without a new start would be what a forger writes."""
    ports = ended(tmp_path)
    reserve(ports, RUN)
    write_finding(ports, RUN, Finding("tasks", Verdict.UNKNOWN, "not known yet"))
    first = seal(ports, RUN)
    write_finding(ports, RUN, Finding("tasks", Verdict.HELD, "all is well"))
    told = _predicate(ports, seal(ports, RUN))
    assert ("UNKNOWN", []) == (told["verdict"], _troubles(ports))
    assert f"record {first} says UNKNOWN" in str(told["findings"])


def test_a_new_start_has_a_new_result(tmp_path):
    ports = ended(tmp_path)
    reserve(ports, RUN)
    write_finding(ports, RUN, Finding("tasks", Verdict.UNKNOWN, "not known yet"))
    seal(ports, RUN)
    reserve(ports, RUN)
    write_finding(ports, RUN, Finding("tasks", Verdict.HELD, "all is well"))
    assert ("HELD", []) == (_predicate(ports, seal(ports, RUN))["verdict"], _troubles(ports))


def test_a_postponed_run_says_so(tmp_path):
    ports = ended(tmp_path)
    set_state(ports, RunState.POSTPONED, reason="errors were 3%")
    told = _predicate(ports, seal(ports, RUN))
    assert (True, "errors were 3%") == (told["is_postponed"], told["reason"])
