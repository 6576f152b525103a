"""How long transactions on lists take to be judged, at growing sizes. Run by `make bench` only."""

import json
import math
import subprocess
import sys

import pytest

SIZES = (10_000, 100_000, 1_000_000)
GOAL_CPU, GOAL_MB, GOAL_JSONL_CPU = 3.0, 1_500, 12.0

ONE = """
import json, sys, time, resource
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from support.list_load import columns, write_jsonl
from holdfast.checkers.list_append import CHECKER
import scipy.sparse.csgraph
size, path = int(sys.argv[1]), Path(sys.argv[2])
if path.suffix == ".jsonl":
    write_jsonl(size, path)
    from holdfast.history.open import open_history
    begun = time.perf_counter(), time.process_time()
    history = open_history(path).history
else:
    history = columns(size)
    begun = time.perf_counter(), time.process_time()
checked = CHECKER.judge(history, CHECKER.options())
wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"outcome": checked.outcome, "wall": wall, "cpu": cpu, "peak": peak}))
"""


def measured(size, path, tests):
    """Judge one history in a process of its own, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-c", ONE, str(size), str(path), str(tests)], capture_output=True,
        text=True, check=True, timeout=1800)
    return json.loads(done.stdout)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("form", "goal"), [("columns", GOAL_CPU), ("jsonl", GOAL_JSONL_CPU)])
def test_transactions_on_lists(form, goal, tmp_path, request, capsys):
    found = [measured(size, tmp_path / f"h.{form}", request.config.rootpath / "tests")
             for size in SIZES]
    growth = math.log(found[-1]["cpu"] / found[-2]["cpu"], SIZES[-1] / SIZES[-2])
    with capsys.disabled():
        for size, one in zip(SIZES, found, strict=True):
            print(f"\nlist_append from {form}, {size:,} transactions: {one['cpu']:.2f} CPU s, "
                  f"{one['wall']:.2f} s, peak {one['peak']} MB", end="")
        print(f"\n  grows as n^{growth:.2f}")
    assert ["valid"] * len(SIZES) == [one["outcome"] for one in found]
    assert found[-1]["cpu"] < goal
    assert form != "columns" or found[-1]["peak"] < GOAL_MB
