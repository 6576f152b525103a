"""process.cpu_burn and process.memory_pressure: what they take, and what they leave (F2)."""

import os
from pathlib import Path

import pytest

from holdfast.errors import FaultError
from holdfast.faults.process import _memory, _own
from holdfast.faults.process.cpu_burn import CpuBurnDriver
from holdfast.faults.process.memory_pressure import MemoryPressureDriver
from support.waiting import wait_for
from unit.faults.conftest import Home

CPU, MEMORY = CpuBurnDriver(), MemoryPressureDriver()
MIB = 1024 * 1024


def test_a_burner_gives_way_to_everybody(home: Home) -> None:
    recipe = CPU.arm(home.fault("process.cpu_burn"), "L-cpu")
    CPU.inject(recipe)
    try:
        CPU.inject(recipe)
        (worker,) = _own.running("L-cpu")
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == 19
        assert [f"worker {worker.pid} of the lease is there"] == CPU.residue(recipe)
    finally:
        CPU.revert(recipe)
    assert not CPU.residue(recipe)


@pytest.mark.parametrize(("there", "wanted"), [(1, 1), (4, 4), (None, 1)])
def test_one_core_always_stays_free(
    there: int | None, wanted: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: there)
    for refuses in (CPU.targets, lambda f: CPU.arm(f, "L-cpu")):
        with pytest.raises(FaultError, match="but one must stay free"):
            refuses(home.fault("process.cpu_burn", cores=wanted))


def test_the_share_is_that_of_the_cores(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    (target,) = CPU.targets(home.fault("process.cpu_burn", cores=2))
    assert (target.name, target.share) == ("2 of 8 cores", 0.25)


def test_the_worker_that_holds_memory_would_be_the_first_to_go(home: Home) -> None:
    fault = home.fault("process.memory_pressure", share=0.5, most=64)
    recipe = MEMORY.arm(fault, "L-memory")
    MEMORY.inject(recipe)
    try:
        (worker,) = _own.running("L-memory")
        held = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * 4096
        assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text() == "1000\n"
        assert 64 * MIB <= held < 160 * MIB
    finally:
        MEMORY.revert(recipe)
    assert not MEMORY.residue(recipe)


def test_what_would_leave_too_little_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_memory, "available", lambda: 1000 * MIB)
    fault = home.fault("process.memory_pressure", share=0.6)
    for refuses in (MEMORY.targets, lambda f: MEMORY.arm(f, "L-memory")):
        with pytest.raises(FaultError, match="600 of 1000 MiB would be held, but 512 must stay"):
            refuses(fault)


def test_below_the_floor_the_worker_holds_nothing(home: Home) -> None:
    """The floor is another's by then: what was free at arm is not there any more."""
    _own.start("L-floor", 30, "memory", 64 * MIB, 1 << 60)
    try:
        (worker,) = _own.running("L-floor")
        assert int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * 4096 < 60 * MIB
    finally:
        _own.end("L-floor")
    wait_for(lambda: not _own.marked("L-floor"))


@pytest.mark.parametrize(("files", "left"), [
    pytest.param({}, 100, id="no-group"),
    pytest.param({"memory.max": "max", "memory.current": "5"}, 100, id="no-limit"),
    pytest.param({"memory.max": "61440", "memory.current": "20480"}, 40, id="group-v2"),
    pytest.param({"memory/memory.limit_in_bytes": "30720",
                  "memory/memory.usage_in_bytes": "10240"}, 20, id="group-v1"),
])
def test_what_is_available_is_the_least_of_host_and_group(
    files: dict[str, str], left: int, tmp_path: Path
) -> None:
    (tmp_path / "memory").mkdir()
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 200 kB\nMemAvailable:   100 kB\n")
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    assert left * 1024 == _memory.available(info, tmp_path)
