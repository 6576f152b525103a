"""R6: history files with a known verdict come out right: our own, and the shared collection's."""

import os
from pathlib import Path

import pytest

from holdfast.registry import Registry
from holdfast.steps.histories import Asked, history_checkers, read
from support.histories import cases

HERE = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get(
    "HOLDFAST_HISTORIES", HERE.parents[1] / "shared/data/histories"))
NAMES = {
    "cas-register": "register", "mutex": "mutex", "kv": "kv", "counter": "counter", "set": "set",
    "set-full": "set_full", "bank": "bank", "long-fork": "long_fork",
    "list-append": "list_append", "rw-register": "rw_register",
}


def shared():
    """The cases whose checker is here; sessions' levels are tested beside their checker."""
    if not (SHARED / "index.tsv").exists():
        return []
    return [case for case in cases(SHARED) if case["verdict"] in ("valid", "invalid")
            and NAMES.get(case["model"].split(" ")[0]) in Registry("checkers", "CHECKER")]


def found(path, checker):
    return read(Asked(path, checker)).judge()


@pytest.mark.parametrize("case", cases(HERE / "cases/histories"), ids=lambda case: case["path"])
def test_our_own_cases(case):
    checked = found(HERE / "cases/histories" / case["path"], case["checker"])
    names = [name for name, places in checked.anomalies.items() if places]
    assert (case["verdict"], case["anomalies"].split()) == (checked.outcome, names), checked.text


@pytest.mark.skipif(not shared(), reason=f"no collection of histories in {SHARED.name}; "
                    "HOLDFAST_HISTORIES says where it is")
@pytest.mark.parametrize("case", shared(), ids=lambda case: case["path"])
def test_the_shared_collection(case):
    checked = found(SHARED / case["path"], NAMES[case["model"].split(" ")[0]])
    assert case["verdict"] == checked.outcome, checked.text
    if NAMES[case["model"].split(" ")[0]] not in ("list_append", "rw_register"):
        assert set(case["anomalies"].split()) <= {n for n, v in checked.anomalies.items() if v}


@pytest.mark.parametrize("name", history_checkers())
def test_a_checker_of_histories_says_what_it_can_be_told(name):
    checker = Registry("checkers", "CHECKER")[name]
    for field in checker.options.model_fields.values():
        assert not field.is_required()
    assert checker.options()
