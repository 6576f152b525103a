"""What nobody else has a history of is kept by whoever asks (S4)."""

import asyncio
from math import inf

from holdfast.clients import samples as module
from holdfast.clients.samples import Keeping, keep, kept
from holdfast.model.indicator import Indicator
from holdfast.ports.metrics import Sample

HTTP, SQL = Indicator(http="shop"), Indicator(sql="db", query="SELECT 1")


def test_samples_are_read_back_in_order_each_once(tmp_path):
    one, two = tmp_path / "x" / "run.jsonl", tmp_path / "x" / "lease.jsonl"
    keep(one, [(HTTP, Sample(1.0, 20.0)), (HTTP, Sample(0.0, 10.0))])
    keep(two, [(HTTP, Sample(1.0, 20.0)), (SQL, Sample(5.0, 20.0)), (HTTP, Sample(1.0, 99.0))])
    assert [(10.0, 0.0), (20.0, 1.0)] == kept([one, two, tmp_path / "none"], HTTP, 0.0, 50.0)


def test_what_is_no_number_is_not_kept(tmp_path):
    keep(tmp_path / "run.jsonl", [(HTTP, Sample(None, 1.0, "gone")), (HTTP, Sample(inf, 1.0))])
    assert not (tmp_path / "run.jsonl").exists()


def test_half_a_line_spoils_no_other(tmp_path):
    file = tmp_path / "run.jsonl"
    keep(file, [(HTTP, Sample(1.0, 1.0))])
    with file.open("a") as out:
        out.write('["success GET / at sh\n{"a": 1}\n7\n')
    assert [(1.0, 1.0)] == kept([file], HTTP, 0.0, 9.0)


class Answers:
    """Gives what it is told, whatever is asked."""

    def __init__(self, found):
        self.found = found

    async def now(self, questions):
        return dict.fromkeys(questions, self.found)


def ask_often(tmp_path, monkeypatch, times=3):
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)

    async def go():
        keeping = Keeping(Answers(Sample(1.0, 5.0)), tmp_path / "lease.jsonl")
        for _ in range(times):
            await keeping.now([HTTP, "up"])
            await asyncio.sleep(0.02)
        await keeping.now([SQL])
        monkeypatch.setattr(module, "EVERY_SECONDS", 5.0)
        await keeping.close()
    asyncio.run(go())


def test_a_guards_answers_are_kept_but_not_those_of_prometheus(tmp_path, monkeypatch):
    ask_often(tmp_path, monkeypatch)
    file = tmp_path / "lease.jsonl"
    assert [(5.0, 1.0)] == kept([file], HTTP, 0.0, 9.0) == kept([file], SQL, 0.0, 9.0)
    assert "up" not in file.read_text()


def test_a_file_that_cannot_be_written_holds_up_no_guard(tmp_path, monkeypatch, caplog):
    (tmp_path / "lease.jsonl").mkdir()
    ask_often(tmp_path, monkeypatch)
    assert "samples were not kept: Is a directory" in caplog.text


def test_a_guard_that_asks_prometheus_only_keeps_nothing(tmp_path):
    async def go():
        keeping = Keeping(Answers(Sample(1.0, 5.0)), tmp_path / "lease.jsonl")
        await keeping.now(["up"])
        await keeping.close()
    asyncio.run(go())
    assert [] == list(tmp_path.iterdir())
