"""The conformance trial must find each of these broken drivers and keepers (S4).

Each is the probe driver, or the keeper, with one line wrong.
"""

import importlib.util
import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.conformance import trial as conformance
from holdfast.conformance.cells import Blow, Cell, Party
from holdfast.conformance.deaths import halting
from holdfast.conformance.trial import Trial
from holdfast.model.fault import Effect, Fault
from holdfast.settings import Settings
from holdfast.steps import mend
from holdfast.stores.keepers import LocalKeepers
from support.leases import file_ports

pytestmark = [pytest.mark.system, pytest.mark.kill]
WHEEL = Path(__file__).parent / "wheel"
INCLUDE = Path(__file__).parents[3] / "include"
AT_FIRST_READ = """
import sys
from holdfast.keeper import __main__ as keeper
from holdfast.keeper.machine import Machine
Machine.is_fresh = lambda self, now: True
Machine._is_due = lambda self, now: True
sys.exit(keeper.main(sys.argv[1:]))
"""


@pytest.fixture
def target():
    child = subprocess.Popen(["sleep", "600"])
    yield child.pid
    child.send_signal(signal.SIGCONT)
    child.kill()
    child.wait()


def trial(home, target, cell, folders=(), program=()):
    """One death of the probe driver, whose module is looked for in `folders` first."""
    path = os.pathsep.join(map(str, (*folders, INCLUDE, WHEEL)))
    environ, settings = {"PYTHONPATH": path}, Settings(home, home / "experiments")
    keepers = LocalKeepers(settings, environ, program) if program \
        else halting(settings, cell.moment, environ)
    ports = file_ports(home, drivers={"probe": driver(folders)}, keepers=keepers)
    fault = Fault("probe", "api", {"process": str(target)}, str(home), timedelta(seconds=30))
    return Trial(ports, fault, "lane", cell).run()


def driver(folders):
    place = next(f for f in (*folders, WHEEL) if (f / "probe_driver.py").exists())
    spec = importlib.util.spec_from_file_location("probe_driver", place / "probe_driver.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DRIVER


def broken(tmp_path, old, new):
    """The probe driver with one piece of its text replaced."""
    text = (WHEEL / "probe_driver.py").read_text()
    assert old in text
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "probe_driver.py").write_text(text.replace(old, new))
    return [folder]


def at(party, moment="active"):
    return Cell("probe", party, moment, Blow.KILL)


@pytest.mark.parametrize("party", [Party.PARENT, Party.CHILD, Party.BOTH, Party.GUARD])
def test_a_sound_driver_passes(tmp_path, target, party):
    assert trial(tmp_path, target, at(party)).problems == ()


def test_a_driver_whose_witness_is_blind_is_found(tmp_path, target):
    """It forgets its mark: what it made is seen neither while it is on nor afterwards."""
    folders = broken(tmp_path, 'if stat.split()[0] == "T"', 'if stat.split()[0] == "never"')
    found = trial(tmp_path, target, at(Party.PARENT), folders)
    assert any("sees no residue" in problem for problem in found.problems)


def test_a_revert_that_does_nothing_is_found(tmp_path, target, monkeypatch):
    brief = mend.Limits(revert=1.0, residue=1.0, settle=0.5, total=1.0)
    monkeypatch.setitem(mend.LIMITS, Effect.HELD, brief)  # or the janitor tries for 30 s, twice
    monkeypatch.setattr(conformance, "HELD_SECONDS", 3.0)
    folders = broken(tmp_path, 'os.kill(recipe.undo["pid"], signal.SIGCONT)', "pass")
    found = trial(tmp_path, target, at(Party.CHILD), folders)
    assert any("residue" in problem or "not clean" in problem for problem in found.problems)


def test_a_keeper_that_injects_at_the_first_read_is_found(tmp_path, target):
    folder = tmp_path / "keepers"
    folder.mkdir()
    (folder / "careless.py").write_text(AT_FIRST_READ)
    found = trial(tmp_path, target, at(Party.GUARD, "armed"), [folder], ["careless"])
    assert "a fault without a guard" in found.problems
