"""A workload's own history, judged whole and by itself, and told in the report (R6)."""

import itertools
import json

import pytest

from holdfast.model.verdict import Verdict
from holdfast.registry import Registry
from holdfast.steps.check import check
from holdfast.steps.content import content
from holdfast.steps.histories import Asked, read
from holdfast.steps.seal import seal
from support import stores
from support.after import ended, found
from support.runs import RUN

ITEM = "  - {checker: lost_writes, history: orders}"
LEDGER = (ITEM, "  - {checker: list_append, history: ledger, params: {model: serializable}}")
FILE = ("  histories:\n", "  histories:\n    ledger: {file: work/ledger.jsonl}\n")
NO_POINT = (", recovery_point: 0", "")
SECOND = 1_000_000_000


def judged(tmp_path, rows, torn=b""):
    """The run's history, 20 ms from one line to the next from the run's start, and its finding."""
    ports = ended(tmp_path, LEDGER, FILE, NO_POINT)
    file = ports.settings.home / "work" / "ledger.jsonl"
    file.parent.mkdir()
    timed = [row | {"time": 1000 * SECOND + row["index"] * SECOND // 50} for row in rows]
    file.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in timed) + torn)
    check(ports, RUN)
    return ports, found(ports, "list_append")


def test_a_history_that_keeps_its_level_is_held(tmp_path):
    _, finding = judged(tmp_path, stores.rows(seed=1, size=120, level="serializable"))
    assert Verdict.HELD is finding.verdict, finding.text
    assert finding.text.startswith("ledger: ")
    assert finding.measured["transactions"] > 100


def test_a_lost_write_is_broken_and_the_report_shows_its_circle(tmp_path):
    ports, finding = judged(
        tmp_path, stores.rows(seed=2, size=400, level="serializable", bug="stale-read"))
    assert Verdict.BROKEN is finding.verdict
    seal(ports, RUN)
    (told,) = content(ports, RUN).histories
    assert ("ledger", "list_append", Verdict.BROKEN) == (told.name, told.checker, told.verdict)
    assert ("model", "serializable") in told.options
    assert ["first", "beside", "second"] == [fault for fault, _ in told.around]
    assert told.around[0][1][0][0] > told.around[0][1][0][1] > 0  # some were refused
    assert told.circles
    for name in ("html", "markdown", "json", "pdf"):
        shown = Registry("reports", "RENDERER")[name].render(content(ports, RUN))
        assert name == "pdf" or told.circles[0].anomaly.encode() in shown
        assert name != "html" or b"data:image/svg+xml;base64," in shown


def test_who_checks_the_artefact_later_has_the_same_verdict(tmp_path):
    """Issue of trust: the file that was judged is the one that is kept, and it is in the seal."""
    ports, finding = judged(tmp_path, stores.rows(seed=3, size=200, bug="lost-write"))
    seal(ports, RUN)
    kept = {a.name: a for a in ports.artefacts.of(RUN)}
    again = read(Asked(ports.artefacts.path(kept["history-ledger.jsonl"])))
    assert ("list_append", "invalid") == (again.name, again.judge().outcome)
    assert Verdict.BROKEN is finding.verdict
    assert kept["history-ledger.jsonl"].digest == f"sha256:{again.opened.digest}"
    assert {"first", "beside", "second"} == set(again.faults())


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    rows = stores.rows(seed=1, size=60, level="serializable")
    _, finding = judged(tmp_path, rows, torn=b'{"index": 9999, "type": "inv')
    assert Verdict.HELD is finding.verdict, finding.text


@pytest.mark.parametrize(("rows", "why"), [
    ([], "empty"),
    ([{"index": 0, "type": "ok", "process": 0, "f": "txn", "value": []}], "line 1"),
])
def test_what_cannot_be_judged_is_unknown_with_its_reason(tmp_path, rows, why):
    _, finding = judged(tmp_path, rows)
    assert Verdict.UNKNOWN is finding.verdict
    assert why in finding.text


def test_a_workload_that_wrote_nothing_is_unknown(tmp_path):
    ports = ended(tmp_path, LEDGER, FILE, NO_POINT)
    check(ports, RUN)
    finding = found(ports, "list_append")
    assert (Verdict.UNKNOWN, "ledger: the history cannot be read: No such file or directory") == (
        finding.verdict, finding.text)


def test_a_history_that_no_check_judges_is_kept_as_others_are(tmp_path):
    ports = ended(tmp_path, FILE, NO_POINT)
    file = ports.settings.home / "work" / "ledger.jsonl"
    file.parent.mkdir()
    row = {"index": 0, "type": "invoke", "process": 0, "f": "txn", "value": [],
           "time": 1001 * SECOND}
    file.write_text(json.dumps(row) + "\n")
    seal(ports, RUN)
    (kept,) = [a for a in ports.artefacts.of(RUN) if a.name == "history-ledger.jsonl"]
    assert file.read_bytes() == ports.artefacts.path(kept).read_bytes()


def test_all_checks_of_a_history_judge_the_same_file(tmp_path):
    """A workload may go on writing; what was judged is what is kept, whoever judged it."""
    both = (ITEM, LEDGER[1] + "\n  - {checker: rw_register, history: ledger}")
    ports = ended(tmp_path, both, FILE, NO_POINT)
    file = ports.settings.home / "work" / "ledger.jsonl"
    file.parent.mkdir()
    rows = stores.rows(seed=1, size=60, level="serializable")
    file.write_text("".join(json.dumps(r | {"time": 1000 * SECOND}) + "\n" for r in rows))
    index = itertools.count(len(rows))

    def goes_on(_: float) -> None:
        with file.open("a") as more:
            for kind in ("invoke", "ok"):
                number = next(index)
                row = {"index": number, "type": kind, "process": 90, "f": "txn",
                       "value": [["append", "late", number // 2]], "time": 1001 * SECOND}
                more.write(json.dumps(row) + "\n")

    ports.clock.on_sleep = goes_on
    check(ports, RUN)
    kept = {a.name: a for a in ports.artefacts.of(RUN)}
    told = [json.loads(ports.artefacts.path(a).read_text()) for name, a in kept.items()
            if name in ("list_append-ledger.json", "rw_register-ledger.json")]
    assert [kept["history-ledger.jsonl"].digest] * 2 == [one["digest"] for one in told]
    about = json.loads(ports.artefacts.path(kept["history-ledger.jsonl.about.json"]).read_text())
    assert "" == about["checker"]
    assert {"first", "beside", "second"} == {f["name"] for f in about["faults"]}

