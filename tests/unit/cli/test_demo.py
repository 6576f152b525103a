"""The tour's changed byte: found in a copy, and the evidence itself is as it was (E1)."""

import pytest

from holdfast import wiring
from holdfast.cli.demo import Tour, _with_a_flipped_byte
from holdfast.errors import HoldfastError
from holdfast.model.record import PREDICATES, Statement
from holdfast.settings import Settings


def test_a_changed_byte_is_found_and_only_the_copy_has_it(tmp_path):
    where = Settings(tmp_path / "home", tmp_path / "experiments")
    ports = wiring.ports(where)
    plan = Statement(PREDICATES + "plan/v1", {"p": "00" * 32}, {"run_id": "run"})
    ports.notary.append("run", plan)
    before = ports.notary.records()
    (tmp_path / "copy").mkdir()
    troubles = _with_a_flipped_byte(where, tmp_path / "copy", "run")
    assert any("record 1" in trouble for trouble in troubles), troubles
    assert before == ports.notary.records()


def trouble(_tour):
    """An act that breaks off."""
    raise HoldfastError("the shop is not there")


def test_an_act_that_breaks_off_has_failed_and_the_tour_goes_on(tmp_path, monkeypatch, capsys):
    for name in ("_baseline", "_many", "_worth"):
        monkeypatch.setattr(Tour, name, lambda _tour: True)
    monkeypatch.setattr(Tour, "_one", trouble)
    assert not Tour(Settings(tmp_path, tmp_path), pause=False).go()
    told = capsys.readouterr().out
    assert "act 4 of 4" in told
    assert "BROKEN: not as promised in act 2" in told


def test_a_lab_that_does_not_come_up_ends_the_tour(tmp_path, monkeypatch):
    monkeypatch.setattr(Tour, "_baseline", trouble)
    with pytest.raises(HoldfastError, match="not there"):
        Tour(Settings(tmp_path, tmp_path), pause=False).go()
