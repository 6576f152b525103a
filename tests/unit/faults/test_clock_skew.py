"""process.clock_skew: another time for one service, by marked lines and restarts (F2)."""

import time
from pathlib import Path

import pytest

from holdfast.errors import FaultError
from holdfast.faults.process import _environment, clock_skew
from holdfast.faults.process._trees import Trees
from holdfast.faults.process.clock_skew import ClockSkewDriver
from support.waiting import wait_for
from unit.faults.conftest import Home

DRIVER = ClockSkewDriver()
pytestmark = pytest.mark.skipif(
    not any(list(Path("/").glob(p.lstrip("/"))) for p in clock_skew._LIBRARIES),
    reason="libfaketime is not installed: apt-get install libfaketime",
)


def clock_of(home: Home) -> float:
    """The time that the tree's root has, as it writes it."""
    beat = home.folder / "app-1" / f"beat-{home.root}"
    wait_for(lambda: beat.exists() and len(beat.read_text().split()) == 2, 10)
    return float(beat.read_text().split()[1])


@pytest.mark.parametrize(("back", "sign"), [(False, 1), (True, -1)])
def test_the_service_lives_at_another_time_and_the_host_does_not(
    back: bool, sign: int, home: Home
) -> None:
    recipe = DRIVER.arm(home.fault("process.clock_skew", skew=86400.0, back=back), "L-skew")
    DRIVER.inject(recipe)
    assert abs(clock_of(home) - time.time() - sign * 86400) < 60
    assert "in " + str(home.folder / "env" / "app-1.env") in DRIVER.residue(recipe)[0]
    DRIVER.revert(recipe)
    assert abs(clock_of(home) - time.time()) < 60
    assert not DRIVER.residue(recipe)
    assert not (home.folder / "env" / "app-1.env").exists()
    left = {int(file.name.rpartition("_")[2]) for file in Path("/dev/shm").glob("*faketime*")}
    assert not left & {pid for pid, _ in Trees.of(recipe.undo).noted()}


def test_other_lines_of_the_file_stay(home: Home) -> None:
    file = home.folder / "env" / "app-1.env"
    file.parent.mkdir()
    file.write_text("COLOUR=blue\n")
    recipe = DRIVER.arm(home.fault("process.clock_skew"), "L-skew")
    DRIVER.inject(recipe)
    file.write_text(file.read_text() + "SIZE=9\n")
    DRIVER.revert(recipe)
    assert file.read_text() == "COLOUR=blue\nSIZE=9\n"


def test_a_file_that_preloads_already_is_refused(home: Home) -> None:
    file = home.folder / "env" / "app-1.env"
    file.parent.mkdir()
    file.write_text("LD_PRELOAD=/usr/lib/theirs.so\n")
    with pytest.raises(FaultError, match="app: its environment file already sets LD_PRELOAD"):
        DRIVER.arm(home.fault("process.clock_skew"), "L-skew")


def test_without_the_library_it_is_refused_with_its_package(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_skew, "_LIBRARIES", ("/nowhere/libfaketime.so.1",))
    with pytest.raises(FaultError, match="apt-get install libfaketime"):
        DRIVER.targets(home.fault("process.clock_skew"))


def test_a_supervisor_that_does_not_read_the_file_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_skew, "_PATIENCE", 2.0)
    fault = home.fault("process.clock_skew")
    elsewhere = {**fault.selector, "environment": "elsewhere/app-1.env"}
    recipe = DRIVER.arm(type(fault)(fault.type, "app", elsewhere, fault.home, fault.duration), "L")
    with pytest.raises(FaultError, match="does its supervisor read it"):
        DRIVER.inject(recipe)
    DRIVER.revert(recipe)
    assert not DRIVER.residue(recipe)


def test_a_service_that_dies_of_the_wrong_time_is_told(home: Home) -> None:
    """It sleeps until an absolute time, which libfaketime 0.9.10 cannot."""
    home.kept.stop()
    home.tree.program = "import time\nwhile True: time.sleep(0.3)"
    pid_file = home.folder / "run" / "app-1.pid"
    home.kept.start(pid_file.exists)
    recipe = DRIVER.arm(home.fault("process.clock_skew"), "L-skew")
    with pytest.raises(FaultError, match="did not stay up with libfaketime"):
        DRIVER.inject(recipe)
    DRIVER.revert(recipe)
    assert not DRIVER.residue(recipe)


@pytest.mark.parametrize(("name", "problem"), [
    ("../x.env", "below home"), ("/etc/x.env", "below home"), ("a/b/x.env", "no folder"),
])
def test_a_file_elsewhere_is_refused(name: str, problem: str, home: Home) -> None:
    fault = home.fault("process.clock_skew")
    wrong = type(fault)(fault.type, "app", {**fault.selector, "environment": name}, fault.home,
                        fault.duration)
    with pytest.raises(FaultError, match=problem):
        DRIVER.targets(wrong)


def test_lines_side_by_side_are_told_apart_by_their_lease(tmp_path: Path) -> None:
    file = tmp_path / "env" / "x.env"
    _environment.add(file, "one", {"A": "1"})
    _environment.add(file, "two", {"B": "2"})
    _environment.add(file, "two", {"B": "3"})
    _environment.remove(file, "one")
    assert _environment.names(file) == {"B"}
    assert (_environment.is_marked(file, "one"), _environment.is_marked(file, "two")) == (
        False, True)
    _environment.remove(file, "two")
    _environment.remove(file, "two")
    assert not file.exists()
