"""Laws of the checker of lists (R6): what a store keeps holds, what it breaks is found."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.checkers.list_append import CHECKER
from support import stores
from support.txn_histories import from_rows

LAW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PROMISES = {
    "serializable": "strict-serializable", "read-committed": "read-committed",
    "snapshot-isolation": "strong-snapshot-isolation",
}


def judge(history, **options):
    return CHECKER.judge(history, CHECKER.options(**options))


@LAW
@given(level=st.sampled_from(sorted(PROMISES)), seed=st.integers(0, 10_000))
def test_a_store_that_keeps_its_level_is_never_invalid(level, seed):
    history = stores.history(level=level, seed=seed, size=120)
    checked = judge(history, model=PROMISES[level])
    assert "valid" == checked.outcome, checked.text


@pytest.mark.parametrize(("bug", "level", "names"), [
    ("lost-write", "serializable", {"incompatible-order", "G-single-item-realtime"}),
    ("stale-read", "serializable", {"G-single-item", "G-single-item-realtime"}),
    ("dirty-read", "serializable", {"G1a", "incompatible-order", "G1b", "G1c"}),
    ("lost-update", "snapshot-isolation", {"lost-update"}),
    ("write-skew", "serializable", {"G2-item", "G2-item-realtime"}),
    ("aborted-read", "serializable", {"G1a"}),
])
@pytest.mark.parametrize("seed", range(3))
def test_a_store_with_a_bug_is_found_out_by_name(bug, level, names, seed):
    checked = judge(stores.history(level=level, seed=seed, bug=bug, size=400),
                    model=PROMISES[level])
    assert "invalid" == checked.outcome
    assert names & set(checked.anomalies), checked.text


@LAW
@given(seed=st.integers(0, 10_000), bug=st.sampled_from(("", *stores.BUGS)))
def test_names_of_keys_and_processes_do_not_matter(seed, bug):
    rows = stores.rows(seed=seed, size=80, bug=bug)
    keys = sorted({k for row in rows for _, k, _ in row["value"]})
    named = dict(zip(keys, Random(seed).sample(range(1000), len(keys)), strict=True))
    other = [row | {"process": 90 - row["process"],
                    "value": [[f, named[k], v] for f, k, v in row["value"]]} for row in rows]
    assert _said(judge(from_rows(rows))) == _said(judge(from_rows(other)))


@LAW
@given(seed=st.integers(0, 10_000), bug=st.sampled_from(("", *stores.BUGS)))
def test_rows_of_the_same_time_may_be_shuffled(seed, bug):
    rows = [row | {"time": row["index"] // 5} for row in stores.rows(seed=seed, size=80, bug=bug)]
    assert judge(from_rows(rows)).outcome == judge(from_rows(_shuffled(rows, seed))).outcome


def _shuffled(rows, seed):
    """Shuffle within each time, but leave the rows of each process in their order."""
    rng, shuffled = Random(seed), []
    for time in sorted({row["time"] for row in rows}):
        same = [row for row in rows if row["time"] == time]
        order = [row["process"] for row in same]
        rng.shuffle(order)
        left = {p: [row for row in same if row["process"] == p] for p in order}
        shuffled += [left[p].pop(0) for p in order]
    return [row | {"index": n} for n, row in enumerate(shuffled)]


@LAW
@given(seed=st.integers(0, 10_000), bug=st.sampled_from(stores.BUGS))
def test_splitting_by_key_keeps_what_needs_no_cycle(seed, bug):
    rows = stores.rows(seed=seed, size=80, bug=bug)
    whole = {n for n in judge(from_rows(rows)).anomalies if not _needs_a_cycle(n)}
    parts = set()
    for key in {k for row in rows for _, k, _ in row["value"]}:
        mine = [row | {"value": [m for m in row["value"] if m[1] == key]} for row in rows]
        parts |= set(judge(from_rows(mine)).anomalies)
    assert whole <= parts


def _needs_a_cycle(name):
    """Tell what several keys may take part in; splitting by key may take it apart."""
    return name.removesuffix("-realtime") in ("G0", "G1c", "G2-item") or "G-" in name \
        or name.endswith("cycle-exists")


def _said(checked):
    return checked.outcome, set(checked.anomalies), dict(checked.counts)
