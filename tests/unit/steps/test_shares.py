"""A history judged in parts has the verdict of one that is judged in one piece (R6)."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import CheckError
from holdfast.history.about import About
from holdfast.history.open import Opened
from holdfast.model.verdict import Verdict
from holdfast.ports.checkers import Checked, KeyedChecker, Share
from holdfast.registry import Registry
from holdfast.steps.check import check
from holdfast.steps.content import content
from holdfast.steps.histories import Ready
from holdfast.steps.judge_whole import keep
from holdfast.steps.shares import ShareFound, check_share, joined, judged
from support.after import ended, found
from support.histories import done, history, lines
from support.runs import RUN

CHECKERS = Registry("checkers", "CHECKER")
KEYED = [name for name in CHECKERS if isinstance(CHECKERS[name], KeyedChecker)]
WORDS = {
    "register": ("read", "write", "cas"), "cas_register": ("read", "write", "cas"),
    "kv": ("get", "put", "append"), "mutex": ("acquire", "release"), "counter": ("add", "read"),
}
LISTS = {"set", "set_full", "lost_writes"}


def ready(name, made):
    checker = CHECKERS[name]
    return Ready(Opened(made, "jsonl", "d1"), About(), name, checker, checker.options())


def values(name, f):
    """What an operation may carry: at times what its checker cannot make sense of."""
    if f == "cas":
        return st.lists(st.integers(0, 2), min_size=2, max_size=2)
    if name == "kv":
        return st.one_of(st.sampled_from(["a", "b"]), st.sampled_from(["a", "b", 7]))
    if f == "read" and name in LISTS:
        return st.lists(st.integers(0, 9), max_size=6)
    return st.integers(0, 3)


@st.composite
def histories(draw, name):
    """Operations on up to seven keys; some wrong, some without an end."""
    rows = []
    words = WORDS.get(name, ("add", "read"))
    for n in range(draw(st.integers(0, 30))):
        f = draw(st.sampled_from(words))
        kind = draw(st.sampled_from(["ok", "ok", "ok", "fail", "info"]))
        key, value = draw(st.integers(0, 6)), draw(values(name, f))
        asked = None if f in ("read", "get") else value
        rows += done(n, f, [key, asked], [key, value], kind)
    return history(*rows)


@pytest.mark.parametrize("name", KEYED)
@given(data=st.data())
def test_parts_give_the_verdict_of_the_whole(name, data):
    """Whatever the history, and however many parts, in whatever order they end."""
    made = ready(name, data.draw(histories(name)))
    of = data.draw(st.integers(2, 5))
    shares = data.draw(st.permutations([Share(n, of) for n in range(of)]))
    parts = [stored(judged(made, share)) for share in shares]
    assert same(made.judge()) == same(joined(made, parts, of))


def stored(one):
    """What was found, as whoever joins the parts reads it."""
    return ShareFound.parse(json.dumps(asdict(one)).encode())


def same(checked):
    """As a report has it: through JSON, with what says nothing left out."""
    return json.loads(json.dumps([
        checked.outcome, checked.text, dict(checked.counts),
        {name: list(places) for name, places in checked.anomalies.items()}, dict(checked.worst),
        dict(checked.details),
    ]))


def test_the_checkers_that_can_judge_one_key_at_a_time():
    assert {*WORDS, *LISTS} == set(KEYED)


def test_a_missing_part_and_another_file_are_no_verdict():
    made = ready("register", history(*RIGHT))
    first, second = (judged(made, Share(n, 2)) for n in range(2))
    with pytest.raises(CheckError, match="part 2 of 2 was not judged"):
        joined(made, [first], 2)
    with pytest.raises(CheckError, match="part 1 of 3 was not judged"):
        joined(made, [first, second], 3)
    other = ShareFound("d2", second.share, second.keys)
    with pytest.raises(CheckError, match="another file"):
        joined(made, [first, other], 2)


ITEM = "  - {checker: lost_writes, history: orders}"
ITEMS = (ITEM, f"{ITEM}\n" "  - {checker: cas_register, history: cells, parts: 3}")
FILE = ("  histories:\n", "  histories:\n    cells: {file: cells.jsonl}\n")
NO_POINT = (", recovery_point: 0", "")
RIGHT = [row for key in range(5)
         for row in (*done(key, "write", [key, 1]), *done(9, "read", [key, None], [key, 1]))]
WRONG = [*RIGHT, *done(1, "read", [3, None], [3, 2]), *done(1, "read", [4, None], [4, 2])]


def run(tmp_path, rows):
    ports = ended(tmp_path, ITEMS, FILE, NO_POINT)
    (ports.settings.home / "cells.jsonl").write_text(lines(*rows))
    return ports


@pytest.mark.parametrize(("rows", "verdict"), [(RIGHT, Verdict.HELD), (WRONG, Verdict.BROKEN)])
def test_a_run_in_parts_tells_what_one_piece_tells(tmp_path, rows, verdict):
    ports = run(tmp_path, rows)
    keep(ports, RUN)
    for part in (2, 0, 1):
        check_share(ports, RUN, 1, part)
    check(ports, RUN)
    finding = found(ports, "cas_register-cells")
    assert verdict is finding.verdict
    told = artefact(ports, "cas_register-cells.json")
    kept = next(a for a in ports.artefacts.of(RUN) if a.name == "history-cells.jsonl")
    assert kept.digest == told["digest"]
    made = ready("cas_register", history(*rows)).judge()
    (shown,) = content(ports, RUN).histories
    examples = [(name, places[0]) for name, places in made.anomalies.items() if places]
    assert examples == list(shown.examples)
    page = Registry("reports", "RENDERER")["html"].render(content(ports, RUN)).decode()
    assert all(f"<strong>{name}</strong>, for example" in page for name, _ in examples)
    assert f"cells: {made.text}" == finding.text
    assert same(made)[2:4] == [dict(finding.measured), told["anomalies"] or {}]


def artefact(ports, name):
    kept = {a.name: a for a in ports.artefacts.of(RUN)}
    return json.loads(ports.artefacts.path(kept[name]).read_text())


def test_a_part_that_died_leaves_it_unknown(tmp_path):
    ports = run(tmp_path, WRONG)
    keep(ports, RUN)
    check_share(ports, RUN, 1, 0)
    check_share(ports, RUN, 1, 2)
    check(ports, RUN)
    finding = found(ports, "cas_register-cells")
    assert Verdict.UNKNOWN is finding.verdict
    assert "cells: part 2 of 3 was not judged (see its task)" in finding.text


def test_what_is_written_after_it_was_kept_is_not_judged(tmp_path):
    """Each part, and who joins them, reads the file that was kept."""
    ports = run(tmp_path, RIGHT)
    keep(ports, RUN)
    (ports.settings.home / "cells.jsonl").write_text(lines(*WRONG))
    for part in range(3):
        check_share(ports, RUN, 1, part)
    check(ports, RUN)
    assert Verdict.HELD is found(ports, "cas_register-cells").verdict


def test_a_history_that_is_not_there_is_unknown_with_its_reason(tmp_path):
    ports = ended(tmp_path, ITEMS, FILE, NO_POINT)
    keep(ports, RUN)
    with pytest.raises(CheckError, match="'cells' was not kept"):
        check_share(ports, RUN, 1, 0)
    check(ports, RUN)
    finding = found(ports, "cas_register-cells")
    assert (Verdict.UNKNOWN, "cells: the history cannot be read: No such file or directory") == (
        finding.verdict, finding.text)


def test_a_checker_that_fails_in_one_part_proves_nothing():
    made = ready("register", history(*RIGHT, *done(0, "cas", [3, [1]])))
    parts = [judged(made, Share(n, 3)) for n in range(3)]
    assert ["cas of index 20 does not tell [old new]"] == [p.failed for p in parts if p.failed]
    assert Checked("unknown", parts[0].failed) == made.judge() == joined(made, parts, 3)
