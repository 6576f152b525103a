"""E3: evidence is found by whoever may see it, and by nobody else."""

import hashlib
import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from holdfast.audit.asked import Asked
from holdfast.audit.check import check_bundle
from holdfast.audit.opened import opened
from holdfast.audit.request import Request
from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import read_checkpoint, read_proof
from holdfast.evidence.merkle import is_consistent, leaf_hash, root_by_inclusion
from holdfast.evidence.tiles import hashes_of
from holdfast.settings import Settings
from holdfast.steps import exports
from holdfast.steps.evidence import own_trust
from holdfast.web.evidence import create_api
from holdfast.wiring import ports as wired
from support.evidence_runs import ART, say, two_runs
from support.web import Asking, requirements

JSON = {"sec-fetch-site": "same-origin"}
pytestmark = pytest.mark.usefixtures("quick_pdf")


@pytest.fixture
def ports(tmp_path):
    return two_runs(tmp_path)


@pytest.fixture
def ask(ports):
    """Ana and Rob may see checkout, Zoe everything."""
    with Asking(create_api(lambda: ports, requirements(zoe={"checkout", "secret"}))) as asking:
        yield asking


def test_no_route_answers_without_a_login(ports):
    app = create_api(lambda: ports, requirements())
    routes = [(method, route.path) for route in app.routes for method in route.methods]
    assert len(routes) >= 16
    with Asking(app) as asking:
        found = {(m, p): asking("", p, m).status_code for m, p in routes}
    assert dict.fromkeys(routes, 401) == found


def test_records_are_listed_for_who_may_see_their_suites(ask):
    def seen(who):
        return [e["index"] for e in ask(who, "/entries").json()["entries"]]

    assert ([0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6], [0]) == (seen("ana"), seen("zoe"), seen("sam"))


@pytest.mark.parametrize(("query", "numbers"), [
    ("kind=result", [3, 6]), ("run_id=secret--1", [4, 5, 6]), ("suite=checkout", [1, 2, 3]),
    ("verdict=BROKEN", [6]), (f"control={ART}", [3, 6]), ("control=dora:art-25.1", []),
    ("service=api&verdict=HELD", [3]), ("from=2100-01-01", []), ("to=2000-01-01", []),
    ("from=2000-01-01&to=2100-01-01&kind=plan", [1, 4]), ("limit=2&cursor=3", [4, 5]),
])
def test_records_are_found_by_what_they_are_about(ask, query, numbers):
    found = ask("zoe", f"/entries?{query}").json()
    assert numbers == [e["index"] for e in found["entries"]]


def test_pages_lead_to_the_next(ask):
    first = ask("zoe", "/entries?limit=5").json()
    rest = ask("zoe", f"/entries?limit=5&cursor={first['cursor']}").json()
    assert ([4, None], [5, 6]) == (
        [first["cursor"], rest["cursor"]], [e["index"] for e in rest["entries"]])


@pytest.mark.parametrize("query", [
    "verdict=GOOD", "limit=0", "limit=9999", "cursor=-2", "from=yesterday", "to=2026-13-01",
    "unknown=1", "from=0001-01-01T00:00:00%2B23:59"])
def test_a_question_that_makes_no_sense_is_refused(ask, query):
    assert ask("zoe", f"/entries?{query}").status_code in (400, 422)


def test_a_record_is_read_whole_and_proven(ask):
    entry = ask("ana", "/entries/3").json()
    assert ("result", "HELD", "checkout--1") == (
        entry["kind"], entry["verdict"], entry["predicate"]["run_id"])
    proof = read_proof(ask("ana", "/entries/3/proof").text)
    head, note = read_checkpoint(ask("ana", "/checkpoint").text)
    assert note == proof.checkpoint
    assert head.root == root_by_inclusion(
        leaf_hash(entry["envelope"].encode()), 3, head.size, proof.hashes)


def test_the_tree_is_read_by_tiles(ask, ports):
    assert 404 == ask("ana", "/tile/0/000").status_code
    leaves = hashes_of(ask("ana", "/tile/0/000.p/7").content)
    assert [leaf_hash(r.envelope) for r in ports.notary.records()] == leaves
    for path in ("x/000", "0/00", "0/000.p/0", "0/000.p/257", "0/x001/000", "64/000", "0/000.p/8"):
        assert ask("ana", f"/tile/{path}").status_code in (404, 422), path


def test_the_records_of_a_tile_are_read_by_who_may_see_all(ask, ports):
    content, entries = ask("zoe", "/tile/entries/000.p/7").content, []
    while content:
        size = int.from_bytes(content[:2], "big")
        entries.append(content[2:2 + size])
        content = content[2 + size:]
    assert [r.envelope for r in ports.notary.records()] == entries
    assert (403, 404) == (ask("ana", "/tile/entries/000.p/7").status_code,
                          ask("zoe", "/tile/entries/000.p/8").status_code)


def test_an_earlier_log_is_proven_to_be_its_beginning(ask, ports):
    old, _ = read_checkpoint(ports.log.head()[0])
    say(ports, "checkout--1", "report")
    new, _ = read_checkpoint(ask("ana", "/checkpoint").text)
    found = ask("ana", f"/consistency?from={old.size}&to={new.size}").json()
    hashes = [bytes.fromhex(part) for part in found["hashes"]]
    assert is_consistent((old.size, old.root), (new.size, new.root), hashes)
    for query in ("from=3&to=2", "from=0&to=99"):
        assert 404 == ask("ana", f"/consistency?{query}").status_code


@pytest.mark.parametrize("path", ["/entries/4", "/trail/secret--1", "/trail/never", "/entries/99"])
def test_what_one_may_not_see_is_not_there(ask, path):
    assert 404 == ask("ana", path).status_code


def test_a_file_is_fetched_by_its_digest_by_who_may(ask):
    for run, verdict, status in (("checkout--1", "HELD", 200), ("secret--1", "BROKEN", 404)):
        content = f"{run} {verdict}".encode()
        answer = ask("ana", f"/artifacts/{hashlib.sha256(content).hexdigest()}")
        assert status == answer.status_code
        if status == 200:
            assert (content, True) == (
                answer.content, "attachment" in answer.headers["content-disposition"])
    assert 422 == ask("ana", "/artifacts/nonsense").status_code


def test_a_file_that_is_gone_is_not_found(ask, ports):
    (kept,) = ports.artefacts.of("checkout--1")
    ports.artefacts.path(kept).unlink()
    assert 404 == ask("ana", f"/artifacts/{kept.digest.removeprefix('sha256:')}").status_code


def test_the_trail_of_a_run_holds_all_there_is(ask):
    found = ask("ana", "/trail/checkout--1").json()
    assert ("HELD", [1, 2, 3], ["book.json"], []) == (
        found["run"]["verdict"], [r["index"] for r in found["records"]],
        [a["name"] for a in found["artefacts"]], found["troubles"])
    assert all(read_proof(r["proof"]) for r in found["records"])


def test_controls_are_told_with_their_reasons(ask):
    def states(path):
        return {s["state"] for s in ask("zoe", path).json()["standings"]}

    assert {"failing"} == states("/controls/dora/art-24.4")
    assert "failing" in states("/gaps?framework=dora&days=3650")
    assert "not-evidenceable" in states("/coverage?framework=dora&max_age_days=3650")
    assert "supports evidence" in ask("zoe", "/coverage?framework=dora").json()["disclaimer"]
    assert 404 == ask("zoe", "/controls/dora/art-99").status_code
    assert 400 == ask("zoe", "/coverage?framework=dorra").status_code


@pytest.mark.parametrize("path", [
    "/coverage?framework=dora", "/gaps?framework=dora", "/controls/dora/art-24.4"])
def test_how_controls_stand_is_told_to_who_may_see_every_suite(ask, path):
    """Its reasons name runs and services of all of them."""
    assert (403, 200) == (ask("ana", path).status_code, ask("zoe", path).status_code)


def test_an_export_is_asked_for_and_fetched_and_checks(ask, ports, tmp_path):
    asked = ask("zoe", "/exports", "POST", JSON, json={"frameworks": ["dora"]})
    assert (202, "queued", "zoe") == (
        asked.status_code, asked.json()["state"], asked.json()["asked_by"])
    name = asked.json()["id"]
    told = ask("zoe", f"/exports/{name}").json()
    assert ("done", True) == (told["state"], told["size"] > 1000)
    assert [told] == ask("zoe", "/exports").json()
    (tmp_path / "b.zip").write_bytes(ask("zoe", f"/exports/{name}/bundle").content)
    with opened(tmp_path / "b.zip") as bundle:
        found = check_bundle(bundle, replace(own_trust(ports), is_given=True),
                             Asked(datetime.now(UTC)))
    assert ([], 2) == (found.troubles, found.runs)


def test_who_may_not_see_all_suites_gets_no_bundle(ask):
    assert 403 == ask("ana", "/exports", "POST", JSON, json={}).status_code
    for path in ("/exports", "/exports/0123456789abcdef", "/exports/0123456789abcdef/bundle"):
        assert 403 == ask("ana", path).status_code


def test_a_page_of_elsewhere_cannot_ask_for_an_export(ask):
    other = {"sec-fetch-site": "cross-site"}
    assert 403 == ask("zoe", "/exports", "POST", other, json={}).status_code
    bearer = other | {"authorization": "Bearer x"}
    assert 202 == ask("zoe", "/exports", "POST", bearer, json={}).status_code


@pytest.mark.parametrize("body", [{"since": "nonsense"}, {"days": 0}, {"until": "2026-99-01"}, []])
def test_an_export_that_makes_no_sense_is_refused(ask, body):
    assert ask("zoe", "/exports", "POST", JSON, json=body).status_code in (400, 422)


@pytest.mark.parametrize("body", [
    b'{"suites": ["\\ud800"]}', b'{"since": "\\udfff"}', b'{"days": "\\ud800"}',
    b'{"suites": ["a\\nb"]}'])
def test_half_a_character_is_refused_and_shown_to_nobody(ask, body):
    """It was kept, and the list of exports could be written for nobody any more."""
    said = JSON | {"content-type": "application/json"}
    assert 422 == ask("zoe", "/exports", "POST", said, content=body).status_code
    assert (200, []) == ((found := ask("zoe", "/exports")).status_code, found.json())


def test_an_export_that_fails_says_why(ask, ports, monkeypatch):
    def broken(*_):
        raise EvidenceError("the log is damaged")

    monkeypatch.setattr("holdfast.steps.exports.export", broken)
    name = ask("zoe", "/exports", "POST", JSON, json={}).json()["id"]
    assert ("failed", "the log is damaged") == tuple(
        ask("zoe", f"/exports/{name}").json()[k] for k in ("state", "detail"))
    assert 409 == ask("zoe", f"/exports/{name}/bundle").status_code
    for other in ("nonsense", "0123456789abcdef", "..%2f..%2fx"):
        assert 404 == ask("zoe", f"/exports/{other}").status_code


def test_an_export_whose_process_was_killed_has_failed_and_can_be_asked_for_again(
    ask, ports, monkeypatch
):
    wanted = exports.ask(ports, Request(), "zoe")
    monkeypatch.setattr("holdfast.steps.exports.export", lambda *_: os.kill(os.getpid(), 9))
    child = os.fork()
    if not child:
        exports.carry_out(ports, wanted, Request())
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    monkeypatch.undo()
    told = ask("zoe", f"/exports/{wanted.id}").json()
    assert ("failed", True) == (told["state"], "ask for it again" in told["detail"])
    assert 409 == ask("zoe", f"/exports/{wanted.id}/bundle").status_code
    exports.carry_out(ports, wanted, Request())
    assert "done" == ask("zoe", f"/exports/{wanted.id}").json()["state"]


def test_an_export_that_is_being_made_is_running(ask, ports, monkeypatch):
    wanted, seen = exports.ask(ports, Request(), "zoe"), []

    def look(*_):
        seen.append(ask("zoe", f"/exports/{wanted.id}").json()["state"])
        raise EvidenceError("enough")

    monkeypatch.setattr("holdfast.steps.exports.export", look)
    exports.carry_out(ports, wanted, Request())
    assert ["running"] == seen


def test_an_export_that_nobody_begins_has_failed(ask, ports):
    wanted = exports.ask(ports, Request(), "zoe")
    assert "queued" == ask("zoe", f"/exports/{wanted.id}").json()["state"]
    old = replace(wanted, asked_at="2026-01-01T00:00:00+00:00")
    place = exports.bundle_of(ports, wanted.id).with_name("export.json")
    place.write_text(json.dumps(asdict(old)))
    assert "failed" == ask("zoe", f"/exports/{wanted.id}").json()["state"]


def test_an_empty_log_has_no_head_and_no_proof(tmp_path):
    empty = wired(Settings(tmp_path / "home", tmp_path / "experiments"))
    with Asking(create_api(lambda: empty, requirements())) as asking:
        assert 404 == asking("ana", "/checkpoint").status_code
        assert 404 == asking("ana", "/entries/0/proof").status_code
        assert [] == asking("ana", "/entries").json()["entries"]
        assert 404 == asking("ana", "/consistency?from=0&to=1").status_code


def test_the_description_names_every_route(ask):
    told = ask("ana", "/openapi.json").json()
    assert {"/entries", "/trail/{run_id}", "/exports"} <= set(told["paths"])
