"""The tour's changed byte: found in a copy, and the evidence itself is as it was (E1)."""

from holdfast import wiring
from holdfast.cli.demo import _with_a_flipped_byte
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
    assert any("record 0" in trouble for trouble in troubles), troubles
    assert before == ports.notary.records()
