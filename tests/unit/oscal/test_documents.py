"""E3: OSCAL documents follow from records alone, and from the same records come the same bytes."""

import json
import re

import pytest
from hypothesis import given, settings

from holdfast.errors import EvidenceError
from holdfast.evidence.canonical import canonical
from holdfast.evidence.envelope import read, statement_of
from holdfast.model.record import Statement
from holdfast.oscal.words import control_id
from holdfast.steps.catalogues import catalogue
from support.oscal import (
    BEGAN,
    DIRECT,
    ORIGIN,
    PARTIAL,
    PLATFORM,
    Records,
    check,
    checkpoint,
    logs,
    rich,
    trial,
    violations,
)
from support.oscal_runs import real

UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLAN, RESULTS, POAM = "assessment-plan.json", "assessment-results.json", "poam.json"


def records_of(ports):
    return Records({r.index: statement_of(read(r.envelope)) for r in ports.notary.records()})


def told(records, name=RESULTS, **changes):
    (document,) = json.loads(records.documents(**changes)[name]).values()
    return document


def result(records, number=0):
    return told(records)["results"][number]


pytestmark = pytest.mark.usefixtures("quick_pdf")


def own(part, name):
    return next((p["value"] for p in part.get("props", ()) if p["name"] == name), None)


def test_a_real_run_gives_three_documents_that_follow_the_schema(tmp_path):
    made = records_of(real(tmp_path)).documents()
    assert ([PLAN, RESULTS, POAM], []) == (list(made), violations(made))


def test_findings_of_a_real_run_say_what_coverage_says(tmp_path):
    ports = real(tmp_path)
    expected = {(name, r.service, r.verdict.name)
                for r in ports.shown.results(catalogue()) for name in r.controls}
    found = {tuple(own(f, n) for n in ("control", "service", "verdict"))
             for f in result(records_of(ports))["findings"]}
    assert expected == found


@settings(max_examples=60)
@given(logs())
def test_whatever_runs_have_signed_follows_the_schema(records):
    assert [] == violations(records.documents())


@given(logs())
def test_the_same_records_give_the_same_bytes(records):
    shuffled = Records(reversed(records.items()))
    assert records.documents() == shuffled.documents()


def test_documents_are_canonical_and_name_the_log():
    made = rich().documents()
    for name, content in made.items():
        (document,) = json.loads(content).values()
        about = {p["name"]: p["value"] for p in document["metadata"]["props"]}
        assert (content, ORIGIN, "1000") == (
            canonical(json.loads(content)), about["log-origin"], about["checkpoint-size"]), name


def test_every_time_is_from_the_records():
    content = b"".join(rich().documents().values()).decode()
    expires = {"2026-05-30"}
    assert {"2026-03-01"} | expires == set(re.findall(r'"(\d{4}-\d\d-\d\d)T', content))


def test_every_uuid_depends_on_the_log():
    """Two logs may have runs of the same names."""
    def uuids(origin):
        made = rich().documents(origin=origin, checkpoint=checkpoint(origin=origin))
        return set(UUID.findall(b"".join(made.values())))

    tool_and_platform = 2
    assert tool_and_platform == len(uuids("one.example/log") & uuids("two.example/log"))


def test_no_text_claims_more_than_evidence():
    content = b"".join(rich().documents().values()).decode().lower()
    assert (True, []) == ("supports evidence for" in content,
                          re.findall(r"complian\w+|certif\w+|conform\w+", content))


def test_an_experiment_becomes_an_observation_that_expires_with_its_control():
    first = result(rich())["observations"][0]
    assert (["TEST"], "2026-03-01T02:05:00+00:00", "2026-05-30T02:05:00+00:00", "HELD") == (
        first["methods"], first["collected"], first["expires"], own(first, "verdict"))


def test_a_fault_that_never_began_is_said():
    records = Records()
    records.result("one", trial("first", "UNKNOWN", fault_type=""))
    assert ("Its fault never began. Nothing is known: the test did not conclude."
            == result(records)["observations"][0]["description"])


def test_an_observation_without_a_control_does_not_expire():
    records = Records()
    records.result("one", trial("first"))
    one = result(records)
    assert (None, "_no-control-named") == (
        one["observations"][0].get("expires"),
        one["reviewed-controls"]["control-selections"][0]["include-controls"][0]["control-id"])


@pytest.mark.parametrize(("verdict", "control", "status", "state"), [
    ("HELD", DIRECT, ("satisfied", "pass"), "evidenced"),
    ("HELD", PARTIAL, ("not-satisfied", "other"), "partial"),
    ("UNKNOWN", DIRECT, ("not-satisfied", "other"), "no-evidence"),
    ("BROKEN", PARTIAL, ("not-satisfied", "fail"), "failing"),
])
def test_a_finding_says_no_more_than_was_shown(verdict, control, status, state):
    """OSCAL: satisfied means completely."""
    records = Records()
    records.result("one", trial("first", verdict), controls=[control.upper()])
    (finding,) = result(records)["findings"]
    target = finding["target"]
    assert (control_id(control), status, state) == (
        target["target-id"], (target["status"]["state"], target["status"]["reason"]),
        own(finding, "state"))


def test_what_no_run_can_show_or_nobody_knows_is_no_finding_and_is_said():
    records = Records()
    records.result("one", trial("first"), controls=[PLATFORM, "no-such:control"])
    one = result(records)
    assert (None, True, True) == (
        one.get("findings"), f"anything of {PLATFORM}" in one["remarks"],
        "does not know no-such:control" in one["remarks"])


def test_a_control_of_one_experiment_is_its_services_alone():
    records = Records()
    records.result("one", trial("first", "HELD", "api", DIRECT), trial("second", "HELD", "db"))
    assert ["api"] == [own(f, "service") for f in result(records)["findings"]]


def test_what_the_whole_run_broke_all_services_have_broken():
    records = Records()
    records.result("one", trial("first", "BROKEN"), trial("second", "HELD", "db"),
                   controls=[DIRECT], findings=[check("lost_writes", text="2 lost")])
    one = result(records)
    assert ["BROKEN", "BROKEN"] == [own(f, "verdict") for f in one["findings"]]
    assert ["Experiment first did not hold: suite checkout in staging",
            "The run as a whole did not hold: suite checkout in staging"] == [
        r["title"] for r in one["risks"]]


def test_a_verdict_worse_than_all_that_is_listed_is_the_runs_own():
    records = Records()
    records.result("one", trial("first"), verdict="BROKEN", controls=[DIRECT])
    one = result(records)
    assert ("BROKEN", 1) == (own(one["observations"][-1], "verdict"), len(one["risks"]))


def test_a_failure_becomes_a_risk_and_an_item_with_all_it_rests_on():
    records = rich()
    plan = told(records, POAM)
    (item,), (risk,) = plan["poam-items"], plan["risks"]
    assert "20 s, not 15 s" == item["description"]
    assert [{"risk-uuid": risk["uuid"]}] == item["related-risks"]
    assert {f["uuid"] for f in plan["findings"]} == {
        one["finding-uuid"] for one in item["related-findings"]}


def test_without_a_failure_there_is_no_plan_of_action():
    records = Records()
    records.start("one")
    records.result("one", trial("first"), trial("second", "UNKNOWN"))
    assert [PLAN, RESULTS] == list(records.documents())


@pytest.mark.parametrize(("later", "status"), [
    ({"first": "HELD"}, "closed"),
    ({"first": "UNKNOWN"}, "open"),
    ({"second": "HELD"}, "open"),
])
def test_a_risk_is_closed_by_the_same_experiment_that_held_later(later, status):
    records = Records()
    records.result("one", trial("first", "BROKEN"))
    records.result("two", *(trial(name, verdict) for name, verdict in later.items()))
    (risk,) = result(records)["risks"]
    assert status == risk["status"]


@pytest.mark.parametrize(("later", "where", "status"), [
    (["first", "second"], "staging", "closed"), (["first"], "staging", "open"),
    (["first", "second"], "test", "open"),
])
def test_a_risk_of_the_whole_run_is_closed_by_one_that_did_all_of_it(later, where, status):
    records = Records()
    records.result("one", trial("first"), trial("second"), findings=[check("lost_writes")])
    records.result("two", *map(trial, later), environment=where)
    (risk,) = result(records)["risks"]
    assert status == risk["status"]


def test_files_are_resources_with_their_hashes():
    document = told(rich())
    found = document["back-matter"]["resources"]
    resources = {r["title"]: r["rlinks"][0] for r in found}
    assert ("../artifacts/" + "b" * 64, [{"algorithm": "SHA-256", "value": "b" * 64}]) == (
        resources["book.json"]["href"], resources["book.json"]["hashes"])
    (link,) = document["results"][0]["links"]
    (title,) = [r["title"] for r in found if f"#{r['uuid']}" == link["href"]]
    assert "report.html" == title


def test_evidence_of_an_experiment_is_its_own_files():
    records = Records()
    records.result("one", trial("api"), trial("api-hangs"))
    seen = {own(o, "experiment"): [e["description"] for e in o["relevant-evidence"][1:]]
            for o in result(records)["observations"]}
    assert {"api": ["book.json", "journal-api-l.jsonl"],
            "api-hangs": ["book.json", "journal-api-hangs-l.jsonl"], None: ["book.json"]} == seen


@pytest.mark.parametrize(("answer", "by", "prose"), [
    ("approved", "lead", "lead: approved the plan sha256:one. go"),
    ("refused", "lead", "lead: refused the plan sha256:one. go"),
    ("timed_out", "", "Nobody: was asked about the plan and did not answer sha256:one. go"),
    ("withdrawn", "lead", "lead: took the approval of the plan back sha256:one. go"),
])
def test_an_answer_becomes_an_attestation(answer, by, prose):
    records = Records()
    records.plan("one", ("first", "api"))
    records.approval("one", answer, by, "go")
    records.start("one")
    (attestation,) = result(records)["attestations"]
    assert (prose, bool(by)) == (
        attestation["parts"][0]["prose"], "responsible-parties" in attestation)


def test_every_record_of_a_run_is_in_its_log():
    entries = result(rich())["assessment-log"]["entries"]
    assert ["plan/v1", "approval/v1", "run-start/v1", "result/v1", "report/v1"] == [
        own(e, "predicate-type") for e in entries]
    assert ["approver", "requester"] == [
        by["role-id"] for e in entries for by in e.get("logged-by", ())]


def test_a_run_without_a_result_shows():
    three = result(rich(), 2)
    assert (True, False, None) == (
        "or its end was hidden" in three["description"], "end" in three,
        three.get("findings"))


def test_a_postponed_run_has_tested_nothing():
    records = Records()
    records.result("one", trial("first", "UNKNOWN"), is_postponed=True, reason="at night",
                   controls=[DIRECT])
    one = result(records)
    assert ("postponed", None, True) == (
        own(one, "verdict"), one.get("observations"), "at night" in one["description"])


def test_the_latest_result_counts_and_earlier_ones_are_told():
    records = Records()
    records.result("one", trial("first"))
    records.result("one", trial("first", "BROKEN"))
    records.start("one", dry_run=True)
    one = result(records)
    assert ("BROKEN", "true", 3) == (
        own(one, "verdict"), own(one, "dry-run"), len(one["assessment-log"]["entries"]))
    assert "record 1 replaces earlier ones" in one["remarks"]
    assert "started again and has no new result" in one["remarks"]


def test_runs_of_the_same_plan_share_its_task():
    records = Records()
    for run in ("one", "two"):
        records.plan(run, ("first", "api"), ("second", "db"))
        records[len(records) - 1].predicate["plan_digest"] = "sha256:same"
    records.result("one", trial("first"), trial("second", "HELD", "db", PARTIAL),
                   controls=[DIRECT])
    plan = told(records, PLAN)
    assert (1, 2) == (len(plan["tasks"]), len(plan["local-definitions"]["activities"]))
    chosen = [[c["control-id"] for c in a["related-controls"]["control-selections"][0][
        "include-controls"]] for a in plan["local-definitions"]["activities"]]
    assert [["cp-10"], ["cp-10", "cp-2"]] == chosen


def test_text_of_people_is_no_markup():
    records = Records()
    text = "<script>*x*\n[a](b) {{ insert }} lost_writes _it_ `c`"
    records.result("one", trial("first", "BROKEN"),
                   findings=[check("recovery", experiment="first", text=text)])
    assert (r"\<script\>\*x\* \[a\](b) \{\{ insert \}\} lost_writes \_it\_ \`c\`"
            == result(records)["risks"][0]["description"])


def test_without_runs_there_is_no_document():
    records = Records()
    records.add("key-event", "")
    assert {} == records.documents()


def test_a_run_that_was_only_planned_has_no_results():
    records = Records()
    records.plan("one", ("first", "api"))
    assert [PLAN] == list(records.documents())


@pytest.mark.parametrize(("changes", "message"), [
    ({"checkpoint": checkpoint(5)}, "record 11: the checkpoint is of 5 records"),
    ({"checkpoint": checkpoint(origin="other")}, "is of the log 'other'"),
    ({"checkpoint": "evidence.example/log1"}, "not a checkpoint"),
])
def test_records_and_checkpoint_must_belong_together(changes, message):
    with pytest.raises(EvidenceError, match=re.escape(message)):
        rich().documents(**changes)


@pytest.mark.parametrize("change", [
    {"verdict": "FINE"}, {"sealed_at": "yesterday"}, {"sealed_at": BEGAN.isoformat()[:19]},
    {"experiments": None}, {"log": {}}, {"answer": "maybe"},
])
def test_a_record_that_cannot_be_read_is_named(change):
    records = Records()
    records.approval("one")
    index = records.result("one", trial("first"))
    if "answer" in change:
        index = 0
    old = records[index]
    records[index] = Statement(old.predicate_type, {}, {**old.predicate, **change})
    with pytest.raises(EvidenceError, match=f"record {index}: "):
        records.documents()


@pytest.mark.parametrize("at", ["yesterday", "2026-03-01T02:00:00"])
def test_a_record_without_a_time_is_named(at):
    records = Records()
    records.start("one")
    records[0].predicate["log"]["recorded_at"] = at
    with pytest.raises(EvidenceError, match="record 0: "):
        records.documents()
