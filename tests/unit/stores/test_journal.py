"""Journals as files: what is on disk survives, and damage is named with its place (N12)."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import EvidenceError
from holdfast.model.fault import Recipe
from holdfast.model.lease import End, LeaseState
from holdfast.stores.journal import RESERVED, FileJournals
from support.leases import a_fault, a_lease
from support.ports import FakeClock

RECIPE = Recipe("lease-1", "noop", {"marker": "lease-1", "pids": [1, 2]})


@pytest.fixture
def journals(tmp_path):
    return FileJournals(tmp_path / "journal", FakeClock())


@pytest.fixture
def journal(journals, tmp_path):
    return journals.create(a_lease(), a_fault(tmp_path), RECIPE)


@pytest.fixture
def path(journal, tmp_path):
    return tmp_path / "journal" / "lease-1.jsonl"


def test_the_first_line_is_all_that_a_revert_needs(journal, journals):
    again = journals.open("lease-1")
    assert (RECIPE, a_lease()) == (again.recipe(), again.lease())
    assert [LeaseState.OPENED] == [line.state for line in again.lines()]


def test_lines_come_back_in_order_with_their_facts(journal, journals):
    journal.write(LeaseState.ARMED)
    journal.write(LeaseState.REVERTING, ended=End.SILENCE, widest_gap=5.0)
    last = journals.open("lease-1").lines()[-1]
    assert (2, LeaseState.REVERTING, 1000.0) == (last.seq, last.state, last.boottime)
    assert {"ended": "silence", "widest_gap": 5.0} == last.facts


def test_space_is_reserved_and_stays_reserved(journal, path):
    journal.write(LeaseState.ARMED)
    assert RESERVED == path.stat().st_size
    assert path.stat().st_blocks * 512 >= RESERVED


def test_a_line_that_outgrows_the_space_is_kept_whole(journal):
    journal.write(LeaseState.UNCLEAN, detail="x" * 2 * RESERVED)
    journal.write(LeaseState.REVERTING)
    assert [0, 1, 2] == [line.seq for line in journal.lines()]


def test_there_is_one_journal_for_a_lease(journal, journals, tmp_path):
    with pytest.raises(FileExistsError):
        journals.create(a_lease(), a_fault(tmp_path), RECIPE)


def test_a_journal_that_is_not_there(journals):
    for name in ("nobody", "", "../escape", ".hidden"):
        with pytest.raises(KeyError):
            journals.open(name)


def test_ids(journal, journals):
    assert ["lease-1"] == journals.ids()


def test_nobody_has_a_journal_in_a_folder_that_is_not_there(journals):
    assert [] == journals.ids()


def test_a_torn_last_line_is_left_out_and_written_over(journal, path):
    journal.write(LeaseState.ARMED)
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[:-30] + b"\0" * 500)
    assert [LeaseState.OPENED] == [line.state for line in journal.lines()]
    journal.write(LeaseState.CLEAN)
    assert [LeaseState.OPENED, LeaseState.CLEAN] == [line.state for line in journal.lines()]


@pytest.mark.parametrize("longer", [0, 400])
def test_nothing_of_a_torn_line_is_left_behind_a_shorter_one(journal, path, longer):
    end = len(path.read_bytes().rstrip(b"\0"))
    content = bytearray(path.read_bytes())
    content[end:end + 20 + longer] = b"#" * (20 + longer)
    path.write_bytes(bytes(content))
    journal.write(LeaseState.ARMED)
    assert path.read_bytes().rstrip(b"\0").endswith(b"}\n")


def test_damage_in_the_middle_is_named_with_its_place(journal, path):
    journal.write(LeaseState.ARMED)
    journal.write(LeaseState.INJECTING)
    path.write_bytes(path.read_bytes().replace(b'"armed"', b'"clean"'))
    with pytest.raises(EvidenceError, match="line 2") as caught:
        journal.lines()
    assert 1 == caught.value.index


def test_a_missing_line_is_damage(journal, path):
    for state in (LeaseState.ARMED, LeaseState.INJECTING):
        journal.write(state)
    lines = path.read_bytes().rstrip(b"\0").split(b"\n")
    path.write_bytes(b"\n".join([lines[0], *lines[2:]]))
    with pytest.raises(EvidenceError, match="line 2"):
        journal.lines()


def test_the_recipe_can_be_read_in_front_of_damage(journal, path):
    journal.write(LeaseState.ARMED)
    journal.write(LeaseState.INJECTING)
    path.write_bytes(path.read_bytes().replace(b'"armed"', b'"clean"'))
    assert RECIPE == journal.recipe()


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"rubbish\n", b"[]\n"])
def test_a_damaged_first_line_leaves_no_recipe(journal, path, content):
    path.write_bytes(content)
    for look in (journal.recipe, journal.lease):
        with pytest.raises(EvidenceError):
            look()


@pytest.mark.parametrize("part", ["recipe", "lease", "undo"])
def test_a_first_line_without_its_parts_is_damage(journals, journal, path, part):
    path.write_bytes(b"")
    facts = {"recipe": {"lease_id": "x", "fault_type": "noop", "undo": None}, "lease": {}}
    journal.write(LeaseState.OPENED, **{k: v for k, v in facts.items() if k != part})
    with pytest.raises(EvidenceError):
        (journal.lease if part == "lease" else journal.recipe)()


def test_facts_that_json_has_no_form_for_are_refused(journal):
    with pytest.raises(TypeError):
        journal.write(LeaseState.ARMED, thing=object())


def test_a_claim_is_for_one(journals, journal):
    with journals.claim("lease-1") as first, journals.claim("lease-1") as second:
        assert (True, False) == (first, second)
    with journals.claim("lease-1") as third:
        assert third


def test_everything_is_for_its_owner_only(journals, journal, tmp_path):
    with journals.claim("lease-1"):
        modes = {p.stat().st_mode & 0o777 for p in (tmp_path / "journal").iterdir()}
    assert {0o600} == modes
    assert 0o700 == (tmp_path / "journal").stat().st_mode & 0o777


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_no_damage_reads_as_another_history(journals, tmp_path, cut, flip):
    """Any one byte changed: a shorter history or an error, never a different one."""
    (tmp_path / "journal").mkdir(exist_ok=True)
    for old in (tmp_path / "journal").iterdir():
        old.unlink()
    journal = journals.create(a_lease(), a_fault(tmp_path), RECIPE)
    for state in (LeaseState.ARMED, LeaseState.INJECTING, LeaseState.ACTIVE):
        journal.write(state)
    path = tmp_path / "journal" / "lease-1.jsonl"
    whole = journal.lines()
    content = bytearray(path.read_bytes())
    content[cut % len(content.rstrip(b"\0"))] ^= flip
    path.write_bytes(bytes(content))
    try:
        assert journal.lines() == whole[: len(journal.lines())]
    except EvidenceError as error:
        assert error.index is not None


def test_lines_are_json_for_everybody(journal, path):
    first = json.loads(path.read_bytes().split(b"\n")[0])
    assert {"seq", "state", "boottime", "at", "facts", "crc"} == first.keys()
