"""R6: `holdfast check` on history files: verdict, figures, exit codes."""

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from holdfast.checkers.set_full import SetFull
from holdfast.cli import check as command
from holdfast.cli.main import app
from holdfast.errors import SpecError
from holdfast.history.about import About, FaultWindow, about, side_file, write_about
from support.histories import NEXT, done, lines

GOOD = [*done(0, "add", 1), *done(1, "read", None, [1])]
BAD = [*done(0, "add", 1), *done(0, "add", 2), *done(1, "read", None, [2])]


@pytest.fixture
def file(tmp_path):
    def write(rows):
        path = tmp_path / "h.jsonl"
        path.write_text(lines(*rows))
        return path

    return write


def ask(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_a_valid_history_ends_with_0(file):
    found = ask(file(GOOD), "--checker", "set-full")
    assert 0 == found.exit_code
    assert "VALID" in found.stdout and "(set_full): all of 1 elements stayed" in found.stdout


def test_an_invalid_one_ends_with_1_and_names_what_is_wrong(file):
    found = ask(file(BAD), "--checker", "set")
    assert 1 == found.exit_code
    assert ["lost: 1", "  first: 1"] == [
        line for line in found.stdout.splitlines() if line.endswith(": 1")][-2:]


def test_for_programs_all_is_json(file):
    found = json.loads(ask(file(BAD), "--checker", "set", "--json").stdout)
    assert ("invalid", "set", {"lost": {"count": 1, "first": "1"}}, 3, "jsonl") == (
        found["verdict"], found["checker"], found["anomalies"], found["seen"]["operations"],
        found["format"])
    assert found["digest"].startswith("sha256:")


@pytest.mark.parametrize(("rows", "checker"), [
    (GOOD, "set_full"), ([*done(0, "add", 1), *done(1, "read", None, 1)], "counter"),
    (done(1, "read", None, {"a": 1}), "bank"), (done(0, "acquire", None), None),
    ([*done(0, "acquire", None), *done(0, "release", None)], "mutex"),
    (done(0, "generate", None, 4), "unique_ids"), (done(0, "put", "x"), "kv"),
    (done(0, "write", 1), "register"), (done(0, "transfer", {}), "bank"),
])
def test_the_content_tells_how_to_judge(file, rows, checker):
    found = ask(file(rows), "--json")
    if checker is None:
        assert 2 == found.exit_code
        assert "name one: " in found.stderr
    else:
        assert checker == json.loads(found.stdout)["checker"]


@pytest.mark.parametrize(("arguments", "told"), [
    (["--checker", "sett"], "no checker 'sett' for histories"),
    (["--checker", "tables"], "no checker 'tables' for histories"),
    (["--checker", "set", "--model", "serializable"], "set takes no 'model' (it takes none)"),
    (["--checker", "set", "--budget", "5"], "set takes no 'budget'"),
    (["--checker", "set_full", "--option", "linear=true"],
     "set_full takes no 'linear' (it takes linearizable)"),
    (["--checker", "set_full", "--option", "linearizable=5"], "option linearizable"),
    (["--checker", "set_full", "--option", "linearizable"], "is no option (NAME=VALUE)"),
    (["--checker", "set_full", "--option", "linearizable=["], "is no value"),
    (["--format", "xml"], "unknown reader 'xml'"),
    (["--format", "edn"], "line 1"), (["--save", "/none/there.npz"], "cannot be written"),
])
def test_wrong_arguments_end_with_2_and_the_nearest_cure(file, arguments, told):
    found = ask(file(GOOD), *arguments)
    assert (2, True) == (found.exit_code, told in found.stderr), found.stderr


def test_a_file_that_lies_ends_with_2_and_its_line(file):
    found = ask(file(GOOD[:1] * 2), "--checker", "set")
    assert (2, True) == (found.exit_code, "h.jsonl: line 2: process 0 invokes" in found.stderr)


def test_options_reach_the_checker(file):
    rows = [*done(0, "add", 1), *done(1, "read", None, []), *done(1, "read", None, [1])]
    asked = file(rows), "--checker", "set_full"
    assert [0, 1] == [ask(*asked, *more).exit_code for more in
                      ([], ["--option", "linearizable=true"])]


def test_a_budget_reaches_the_checker(file):
    rows = [(n, "invoke", "write", n) for n in range(30)] + done(99, "read", None, 77)
    rows += [(n, "ok", "write", n) for n in range(30)]
    found = json.loads(ask(file(rows), "--budget", "100", "--json").stdout)
    assert ("unknown", 101) == (found["verdict"], found["seen"]["steps"])


@pytest.mark.parametrize("rows", [[], [("nemesis", "info", "start", None)]])
def test_an_empty_history_proves_nothing(file, rows):
    path = file(rows)
    if not rows:
        path.write_text("[]")
    found = json.loads(ask(path, "--checker", "set", "--json").stdout)
    assert ("unknown", "the history is empty: no client sent anything") == (
        found["verdict"], found["text"])


def test_a_checker_that_fails_proves_nothing(file, monkeypatch):
    def fail(*_):
        raise IndexError("out of range")

    monkeypatch.setattr(SetFull, "judge", fail)
    found = ask(file(GOOD), "--checker", "set_full", "--json")
    assert (1, "unknown", "the checker failed: IndexError: out of range") == (
        found.exit_code, *(json.loads(found.stdout)[name] for name in ("verdict", "text")))


def test_what_cannot_be_judged_is_unknown(file):
    found = ask(file([*done(0, "add", "x"), *done(1, "read", None, 1)]), "--checker", "counter")
    assert (1, True) == (found.exit_code, "UNKNOWN" in found.stdout)


def test_columns_that_are_kept_give_the_same_verdict(file, tmp_path):
    kept = tmp_path / "h.npz"
    first = json.loads(ask(file(BAD), "--checker", "set", "--save", kept, "--json").stdout)
    again = json.loads(ask(kept, "--checker", "set", "--json").stdout)
    assert [first[n] for n in ("verdict", "anomalies", "seen")] == [
        again[n] for n in ("verdict", "anomalies", "seen")]


def test_the_side_file_names_checker_options_and_faults(file):
    path = file([*done(0, "add", 1), *done(1, "read", None, []), *done(1, "read", None, [1])])
    write_about(path, About(
        workload="set", seed=7, checker="set-full", options={"linearizable": True},
        faults=(FaultWindow(name="kill", begin_ns=2 * NEXT, end_ns=4 * NEXT),)))
    found = json.loads(ask(path, "--json").stdout)
    assert ("invalid", ["stale"]) == (found["verdict"], list(found["anomalies"]))
    assert [(1, 0), (1, 1), (1, 1)] == [
        (found["seen"]["faults"]["kill"][when]["operations"],
         found["seen"]["faults"]["kill"][when]["reads"]) for when in ("before", "during", "after")]
    assert "during kill: 1 operations" in ask(path).stdout


def test_a_side_file_of_another_version_is_refused(file):
    side_file(path := file(GOOD)).write_text('{"version": 2}')
    with pytest.raises(SpecError, match="version"):
        about(path)


def test_a_large_file_shows_how_far_it_is_read(file, monkeypatch):
    monkeypatch.setattr(command, "_LARGE", 1)
    screen = io.StringIO()
    monkeypatch.setattr(command, "err", Console(file=screen, force_terminal=True))
    with command._progress(file(GOOD)) as advance:
        advance(10)
    assert "reading h.jsonl" in screen.getvalue()


SKEW = [
    (0, "invoke", "txn", [["r", "x", None], ["append", "y", 1]]),
    (1, "invoke", "txn", [["append", "x", 1], ["r", "y", None]]),
    (0, "ok", "txn", [["r", "x", []], ["append", "y", 1]]),
    (1, "ok", "txn", [["append", "x", 1], ["r", "y", []]]),
]


def test_a_witness_can_be_drawn(file, tmp_path):
    picture = tmp_path / "w.svg"
    found = ask(file(SKEW), "--checker", "list_append", "--picture", picture)
    assert (1, True) == (found.exit_code, picture.read_text().startswith("<svg"))


def test_without_a_witness_there_is_no_picture(file, tmp_path):
    found = ask(file(GOOD), "--checker", "set-full", "--picture", tmp_path / "w.svg")
    assert (0, False) == (found.exit_code, (tmp_path / "w.svg").exists())
    assert "no picture: no witness" in found.stderr


def test_a_picture_that_cannot_be_drawn_ends_with_2(file, tmp_path):
    found = ask(file(SKEW), "--checker", "list_append", "--picture", tmp_path / "none" / "w.svg")
    assert 2 == found.exit_code
    assert "it cannot be written: No such file or directory" in " ".join(found.stderr.split())


def test_the_folder_where_one_stands_is_no_history(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = ask(".")
    assert 2 == found.exit_code and "it is no file" in found.stderr
