"""E1, the suite health-records: copies of the log are broken in six ways, for real."""

import pytest

from holdfast.model.record import PREDICATES, Statement
from holdfast.settings import Settings
from holdfast.stores import selftest as trials
from holdfast.wiring import ports as wired

NAMES = ["killed while appending", "disk full while appending", "restored from an older copy",
         "a record edited", "the newest record cut off", "written anew with all keys"]


@pytest.fixture
def ports(tmp_path):
    made = wired(Settings(tmp_path / "home", tmp_path / "experiments"))
    for number in range(5):
        made.notary.append(f"s--{number}", Statement(f"{PREDICATES}plan/v1", {}, {"n": number}))
    return made


def test_each_way_of_breaking_the_log_is_survived_or_found(ports):
    before = ports.notary.records()
    tried = ports.selftest()
    assert NAMES == [t.name for t in tried]
    assert [] == [t for t in tried if not t.is_well]
    assert "acknowledged records are there" in tried[0].text
    assert "the disk was full" in tried[1].text
    assert before == ports.notary.records()


def test_a_check_that_finds_nothing_is_told_as_such(ports, monkeypatch):
    """The trials can fail: with the log's checks off, four of six are not found."""
    for name in ("check_tree", "check_pin"):
        monkeypatch.setattr(trials, name, lambda *_: [])
    monkeypatch.setattr(trials, "_TRIALS", {n: trials._TRIALS[n] for n in NAMES[2:]})
    tried = ports.selftest()
    assert [False] * 4 == [t.is_well for t in tried]
    assert "E_LOG_TRUNCATED was not found" in tried[0].text
