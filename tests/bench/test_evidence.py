"""How fast evidence is appended, proven, exported and checked. Run by `make bench` only."""

import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.cli.pyz import write_pyz
from holdfast.evidence.merkle import consistency, inclusion, leaf_hash
from holdfast.evidence.tiles import complete_of, grown
from holdfast.evidence.trust import POLICY, ROLES, policy_text
from holdfast.model.record import Statement
from holdfast.stores.notary import LocalNotary
from support.bundles import World, trust

PRODUCERS, RECORDS, LEAVES = 16, 16_000, 1_000_000
SIZES = (1_000, 5_000, 10_000)
GOALS = {1_000: 0.5, 5_000: 1.0, 10_000: 2.0}
STATEMENT = Statement("t/x/v1", {}, {"run_id": "r", "plan_digest": "sha256:0", "n": 1})


def test_appending_with_sixteen_producers(tmp_path, capsys):
    """Durable when `append` returns, with tree and signed head; beside single commits of SQLite."""
    notary = LocalNotary(tmp_path / "books.db", tmp_path / "keys")
    notary.append("r", STATEMENT)

    def produce(count):
        took = []
        for _ in range(count):
            began = time.perf_counter()
            notary.append("r", STATEMENT)
            took.append(time.perf_counter() - began)
        return took

    began = time.perf_counter()
    with ThreadPoolExecutor(PRODUCERS) as pool:
        took = [t for each in pool.map(produce, [RECORDS // PRODUCERS] * PRODUCERS) for t in each]
    rate = RECORDS / (time.perf_counter() - began)
    alone = RECORDS // 100 / sum(produce(RECORDS // 100))
    bare = _single_commits(tmp_path / "bare.db")
    p99 = statistics.quantiles(took, n=100)[98] * 1000
    with capsys.disabled():
        print(f"\nappend, {PRODUCERS} producers: {rate:,.0f}/s, p99 {p99:.1f} ms; "
              f"one producer {alone:,.0f}/s; single commits of bare SQLite {bare:,.0f}/s "
              f"(ratio {rate / bare:.1f})")
    assert len(notary.records()) == RECORDS + RECORDS // 100 + 2


def _single_commits(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, v BLOB)")
    began = time.perf_counter()
    for number in range(500):
        db.execute("INSERT INTO t VALUES (?, ?)", (number, bytes(900)))
    rate = 500 / (time.perf_counter() - began)
    db.close()
    return rate


def test_proofs_in_a_log_of_a_million(capsys):
    leaves = [leaf_hash(str(n).encode()) for n in range(LEAVES)]
    tiles = grown(0, leaves, lambda *_: b"")
    complete = complete_of(lambda level, number: tiles[level, number])
    chance, rounds = random.Random(1), 500
    took = {}
    for name, deed in (
        ("inclusion", lambda: inclusion(chance.randrange(LEAVES), LEAVES, complete)),
        ("consistency", lambda: consistency(chance.randrange(1, LEAVES), LEAVES, complete)),
    ):
        began = time.perf_counter()
        for _ in range(rounds):
            deed()
        took[name] = (time.perf_counter() - began) / rounds * 1e6
    with capsys.disabled():
        print(f"\nproofs in a log of {LEAVES:,}: " + ", ".join(
            f"{name} {us:.0f} us" for name, us in took.items()))


@pytest.mark.parametrize("size", SIZES)
def test_exporting_and_checking_a_bundle(tmp_path, capsys, size):
    """Offline, in a process of its own, start-up included."""
    world = World()
    while world.batch.size < size:
        world.run(f"shop--{world.batch.size}")
    began = time.perf_counter()
    forger = world.bundle()
    (tmp_path / "b.zip").write_bytes(forger.packed().getvalue())
    made = time.perf_counter() - began
    given = trust()
    (tmp_path / POLICY).write_bytes(policy_text(given.policy))
    (tmp_path / ROLES).write_bytes(given.roles.as_json())
    write_pyz(tmp_path / "v.pyz")
    command = [sys.executable, tmp_path / "v.pyz", tmp_path / "b.zip", "--trust", tmp_path]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
        took.append(time.perf_counter() - began)
    assert (0, True) == (done.returncode, "report reproduced" in done.stdout), done.stdout[-500:]
    with capsys.disabled():
        print(f"\nbundle of {world.batch.size:,} records: made in {made:.2f} s (without its PDF), "
              f"checked in {min(took):.2f} s; the goal is {GOALS[size]} s")
