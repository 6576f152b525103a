"""How long histories take to read and to judge. Run by `make bench` only."""

import os
import resource
import time
from pathlib import Path

import numpy as np
import pytest

from holdfast.checkers._sets import Adds, Reads
from holdfast.checkers.register import CHECKER as REGISTER
from holdfast.checkers.set_full import Fates
from holdfast.history.columns import OK, Atoms
from holdfast.history.open import open_history

ETCD = Path(os.environ.get(
    "HOLDFAST_HISTORIES", Path(__file__).resolve().parents[3] / "shared/data/histories",
)) / "porcupine/jepsen"
ADDS, READS = 1_000_000, 1_000
GOAL_SECONDS, GOAL_ETCD = 5.0, 2.0


class Watch:
    """CPU and wall seconds of a block."""

    def __enter__(self):
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        wall, cpu = self._began
        self.wall, self.cpu = time.perf_counter() - wall, time.process_time() - cpu


def growing_set():
    """Elements added one by one, read a thousand times; one is lost and one is seen late."""
    rows = np.arange(ADDS, dtype=np.int64) * 2
    adds = Adds(Atoms(), np.arange(ADDS), rows, rows + 1, np.full(ADDS, OK, np.uint8))
    present = np.zeros((READS, ADDS // 8), np.uint8)
    for n in range(READS):
        present[n, :(n + 1) * (ADDS // READS) // 8] = 255
    present[900:, 0] &= 0b01111111
    present[500, 1] &= 0b01111111
    begun = (np.arange(1, READS + 1) * (ADDS // READS)) * 2
    return adds, Reads(begun, begun + 1, present, {}, {})


def test_set_full_of_a_million_additions_and_a_thousand_reads(capsys):
    adds, reads = growing_set()
    with Watch() as watch:
        fates = Fates.of(adds, reads)
        lost, stale = np.flatnonzero(fates.lost), np.flatnonzero(fates.stale)
    with capsys.disabled():
        print(f"\nset_full, {ADDS:,} adds by {READS:,} reads: {watch.cpu:.2f} CPU s, "
              f"{watch.wall:.2f} s, peak {_peak_mb()} MB, from packed reads")
    assert ([0], [8]) == (lost.tolist(), stale.tolist())
    assert watch.cpu < GOAL_SECONDS


@pytest.mark.skipif(not ETCD.is_dir(), reason="the collection of histories is not here")
def test_the_etcd_files(capsys):
    with Watch() as reading:
        opened = [open_history(path).history for path in sorted(ETCD.glob("*.log"))]
    with Watch() as judging:
        outcomes = [REGISTER.judge(history, REGISTER.options()).outcome for history in opened]
    share = 102 / len(opened)
    with capsys.disabled():
        print(f"\netcd, {len(opened)} files: read {reading.cpu:.2f}, judged {judging.cpu:.2f} CPU "
              f"s; 102 of them would take {(reading.cpu + judging.cpu) * share:.2f}")
    assert "unknown" not in outcomes
    assert (reading.cpu + judging.cpu) * share < GOAL_ETCD


def test_a_million_rows_from_text(tmp_path, capsys):
    path = tmp_path / "h.jsonl"
    with path.open("w") as file:
        for n in range(500_000):
            file.write(f'{{"index":{2 * n},"time":{n},"type":"invoke","process":{n % 10},'
                       f'"f":"add","value":{n}}}\n{{"index":{2 * n + 1},"time":{n},"type":"ok",'
                       f'"process":{n % 10},"f":"add","value":{n}}}\n')
    with Watch() as watch:
        history = open_history(path).history
    with capsys.disabled():
        print(f"\n{len(history):,} rows of JSONL: {watch.cpu:.2f} CPU s, peak {_peak_mb()} MB")
    assert 1_000_000 == len(history)


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
