"""`holdfast evidence`: list, show and verify, over the real stores."""

import hashlib
import json
import sqlite3

import pytest
from typer.testing import CliRunner

from holdfast.cli.evidence import app
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import Run
from holdfast.settings import Settings
from holdfast.steps.export import write_trust
from holdfast.wiring import ports as wired
from support.evidence_runs import two_runs

RUN = "shop--1"


@pytest.fixture
def ports(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    made = wired(Settings(home=tmp_path, experiments=tmp_path))
    made.books.open_run(Run(RUN, "shop", "lab", "ana", "sha256:p", "2026-01-01T00:00:00", 1.0))
    kept = made.artefacts.put(RUN, "book.json", b"{}", "application/json")
    for kind in ("plan", "run-start", "result"):
        told = {"run_id": RUN, "plan_digest": "sha256:p"}
        subjects = {}
        if kind == "result":
            subjects = {kept.name: kept.digest.removeprefix("sha256:")}
            told["verdict"] = "HELD"
            told["artefacts"] = [{"name": kept.name, "digest": kept.digest}]
        made.notary.append(RUN, Statement(f"{PREDICATES}{kind}/v1", subjects, told))
    return made


def ask(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_list_names_runs_and_records(ports):
    (row,) = json.loads(ask("list", "--json").stdout)
    assert (RUN, "started", [1, 2, 3]) == (row["run"], row["verdict"], row["records"])
    assert RUN in ask("list").stdout


def test_show_prints_what_was_signed(ports):
    told = json.loads(ask("show", RUN, "--json").stdout)
    assert (3, RUN) == (len(told), told[0]["predicate"]["log"]["run_id"])
    assert hashlib.sha256(b"{}").hexdigest() in ask("show", RUN).stdout


def test_show_of_an_unknown_run_names_those_there_are(ports):
    result = ask("show", "never")
    assert (2, True) == (result.exit_code, RUN in result.stderr)


def test_a_genuine_run_is_ok_and_the_trust_is_said_honestly(ports):
    """E1: the deployment's own key shows integrity, not origin."""
    result = ask("verify", RUN)
    assert (5, True) == (result.exit_code, "INTEGRITY ONLY shop--1: 3 records" in result.stdout)
    assert "E_NO_TRUST" in result.stdout


def test_a_swapped_file_fails_with_its_name(ports):
    (kept,) = ports.artefacts.of(RUN)
    ports.artefacts.put(RUN, kept.name, b"forged", "application/json")
    result = ask("verify", RUN, "--json")
    told = json.loads(result.stdout)
    assert (1, False, ["E_ARTEFACT_MISMATCH"]) == (
        result.exit_code, told["ok"], [t["code"] for t in told["troubles"][1:]])


def test_a_verdict_edited_in_the_books_is_found(ports, tmp_path):
    """E1: the list is read from the books, so they are held against what was signed."""
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("UPDATE run SET state = 'ended', verdict = 'BROKEN'")
    connection.close()
    result = ask("verify", RUN)
    assert (1, True) == (result.exit_code, "E_VERDICT shop--1" in result.stdout)
    assert "expected HELD, as signed, found BROKEN" in result.stdout


def test_what_is_worth_a_note_is_told(ports):
    """A verdict that the books do not have yet is no trouble."""
    result = ask("verify", RUN)
    assert (5, True) == (result.exit_code, "note: the books have no verdict yet" in result.stdout)
    assert 1 == len(json.loads(ask("verify", RUN, "--json").stdout)["notes"])


def test_the_index_is_made_anew_from_the_records(tmp_path, monkeypatch):
    two_runs(tmp_path)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    result = ask("rebuild")
    assert (0, "the index tells of 1 services\n") == (result.exit_code, result.stdout)


def test_a_result_that_is_none_is_told_with_its_number(ports):
    result = ask("rebuild")
    assert (6, True) == (result.exit_code, "record 3: not a result" in result.stderr)


def test_trust_got_by_another_way_is_used(ports, tmp_path):
    assert 0 == ask("trust", str(tmp_path / "trust")).exit_code
    result = ask("verify", RUN, "--trust", str(tmp_path / "trust"))
    assert (0, True) == (result.exit_code, "OK shop--1: 3 records of a log of 4" in result.stdout)


@pytest.mark.parametrize("role", ["runner", "approver", "exporter"])
@pytest.mark.usefixtures("quick_pdf")
def test_a_rotated_key_is_believed_by_new_trust_and_refused_by_old(tmp_path, monkeypatch, role):
    """The old trust still vouches for all that was signed before."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    two_runs(tmp_path)
    old, new, bundle = (str(tmp_path / name) for name in ("old", "new", "b.zip"))
    ask("trust", old)
    said = ask("rotate", role)
    assert (0, True) == (said.exit_code, "Auditors need the new trust folder" in said.stdout)
    ask("trust", new)
    assert "2 of 2 runs" in ask("export", bundle).stdout
    assert 0 == ask("verify", bundle, "--trust", new).exit_code
    result = ask("verify", bundle, "--trust", old)
    assert role == "approver" or "E_UNTRUSTED_SIGNER" in result.stdout  # it has signed nothing


@pytest.mark.parametrize(("role", "told"), [
    ("runer", "no key of a 'runer' can be changed"), ("witness", "known: approver"),
    ("log", "the log is named after its key")])
def test_a_key_that_cannot_be_rotated_is_refused(ports, role, told):
    result = ask("rotate", role)
    assert (True, True) == (result.exit_code in (2, 6), told in result.stderr), result.stderr


def test_an_unknown_run_is_only_missing(ports, tmp_path):
    ask("trust", str(tmp_path / "trust"))
    assert 3 == ask("verify", "never", "--trust", str(tmp_path / "trust")).exit_code


def test_trust_in_another_key_is_not_met(ports, tmp_path):
    ask("trust", str(tmp_path / "trust"))
    other = wired(Settings(home=tmp_path / "other", experiments=tmp_path))
    other.notary.append("x", Statement(f"{PREDICATES}plan/v1", {}, {}))
    write_trust(other, tmp_path / "trust")
    result = ask("verify", RUN, "--trust", str(tmp_path / "trust"))
    assert (5, True) == (result.exit_code, "E_UNTRUSTED_SIGNER record 1" in result.stdout)


def test_trust_that_is_not_there_is_told_with_its_cure(ports):
    result = ask("verify", RUN, "--trust", "/nonexistent")
    assert (6, True) == (result.exit_code, "made by `holdfast evidence trust`" in result.stderr)


@pytest.mark.parametrize(("command", "code"), [(["list"], 1), (["verify", RUN], 6)])
def test_a_database_that_is_none_is_told_with_its_cure(ports, tmp_path, command, code):
    for part in tmp_path.glob("books.db-*"):
        part.unlink()
    (tmp_path / "books.db").write_bytes(b"garbage " * 1000)
    result = ask(*command)
    assert (code, None) == (result.exit_code, _unforeseen(result))
    assert "books.db cannot be read (file is not a database)" in result.stderr
    assert "put back a copy" in result.stderr


def test_a_verdict_that_is_none_is_told_with_its_place(ports, tmp_path):
    _edit(tmp_path, "UPDATE run SET verdict = 'GOOD'")
    for command in (["list"], ["verify", RUN]):
        result = ask(*command)
        assert (1, None) == (result.exit_code, _unforeseen(result))
        assert "the row of run shop--1 in the books is damaged" in result.stderr


@pytest.mark.parametrize("value", ["'text'", "7", "CAST(envelope AS TEXT)"])
def test_what_is_no_envelope_is_malformed(ports, tmp_path, value):
    """E1: SQLite keeps any type in any column."""
    _edit(tmp_path, "DROP TRIGGER record_no_update",
          f"UPDATE record SET envelope = {value} WHERE number = 1")
    result = ask("verify", RUN)
    assert (1, None) == (result.exit_code, _unforeseen(result))
    assert "E_MALFORMED record 1" in result.stdout
    assert 0 == ask("list").exit_code


def _unforeseen(result):
    return None if isinstance(result.exception, SystemExit) else result.exception


def _edit(home, *statements):
    with sqlite3.connect(home / "books.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_an_unusable_key_is_an_evidence_error(ports):
    (ports.settings.keys / "runner.pem").chmod(0o644)
    assert 6 == ask("verify", RUN).exit_code
