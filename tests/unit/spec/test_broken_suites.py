"""Every broken suite in tests/cases/broken gets exactly the message beside it (O1)."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.checkers.bank import CHECKER as BANK
from holdfast.checkers.list_append import CHECKER as LIST_APPEND
from holdfast.checkers.lost_writes import CHECKER
from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from holdfast.spec.rules import installed

CASES = sorted((Path(__file__).parents[2] / "cases" / "broken").glob("*.suite.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.partition(".")[0])
def test_a_broken_suite_is_told_exactly_what_is_wrong(case: Path):
    known = replace(
        installed(), probes=("app_recovered", "standby_promoted"),
        checkers={"lost_writes": CHECKER, "bank": BANK, "list_append": LIST_APPEND},
    )
    with pytest.raises(SpecErrors) as told:
        load_text(case.read_text(), case.name, known)
    expected = case.with_name(case.name.replace(".suite.yaml", ".expected"))
    assert expected.read_text() == f"{told.value}\n"


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) >= 25
