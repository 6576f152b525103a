"""R6: histories of transactions that others have judged get the same names and levels here."""

import os
from pathlib import Path

import pytest

from holdfast.steps.histories import Asked, read
from support.histories import cases

SHARED = Path(os.environ.get(
    "HOLDFAST_HISTORIES", Path(__file__).resolve().parents[3] / "shared/data/histories"))
ABSENT = pytest.mark.skipif(
    not (SHARED / "index.tsv").exists(), reason="no collection of histories is here; "
    "HOLDFAST_HISTORIES says where it is")
LEVELS = {"RC": "read-committed", "RA": "read-atomic", "CC": "causal", "TCC": "causal",
          "SI": "snapshot-isolation", "SER": "serializable"}


def labelled(*starts):
    if not (SHARED / "index.tsv").exists():
        return []
    return [case for case in cases(SHARED) if case["path"].startswith(starts)]


def judged(case, checker, **options):
    return read(Asked(SHARED / case["path"], checker, options=options)).judge()


def told(case):
    """What Elle said: names, and the weakest levels ruled out.

    A search that ran out of time ended in whatever cycle came next; what that was depends on the
    machine.
    """
    names = set(case["anomalies"].split())
    return names, sorted(case["oracle"].split("not=")[-1].split())


@ABSENT
@pytest.mark.parametrize(
    "case", labelled("elle-tests", "sim"), ids=lambda case: case["path"])
def test_the_names_and_levels_are_those_of_elle(case):
    checked = judged(case, case["model"].replace("-", "_"))
    names, levels = told(case)
    assert (case["verdict"], levels) == (checked.outcome, checked.details["not"])
    if "cycle-search-timeout" not in names:
        assert names == set(checked.anomalies)


@ABSENT
@pytest.mark.parametrize("case", labelled("awdit", "isovista"), ids=lambda case: case["path"])
def test_the_levels_of_sessions_hold_or_not_as_stated(case):
    said = (part.replace(" for ", " ").split(" ") for part in case["verdict"].split("; "))
    stated = {LEVELS[name]: verdict for verdict, names in said for name in names.split(",")}
    assert stated == {
        level: judged(case, "rw_register", model=level).outcome for level in stated}
