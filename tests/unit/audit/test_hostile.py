"""E2: what is made to stop or deceive whoever checks ends in a trouble, soon, with its code."""

import base64
import io
import json
import struct
import zipfile
from datetime import UTC, datetime

import pytest

from holdfast.audit import places
from holdfast.audit.__main__ import main
from holdfast.audit.verify import Options, said, verify_file
from holdfast.controls.frameworks.catalogue import CONTENT
from holdfast.controls.table import read_table
from holdfast.evidence.canonical import canonical
from holdfast.evidence.checkpoint import Checkpoint
from holdfast.evidence.envelope import PAYLOAD_TYPE, pae
from holdfast.evidence.keys import key_id
from holdfast.evidence.note import Note, signed
from holdfast.evidence.trust import policy_text
from holdfast.model.record import Role
from support.bundles import KEYS, ORIGIN, codes, key_of, trust, world

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_HEAD = CONTENT.splitlines()[0]


def by_hand(forger, change):
    """The manifest as the exporter's key would sign it, whatever it says."""
    payload = json.loads(base64.b64decode(json.loads(forger.listed().sealed)["payload"]))
    change(payload["predicate"])
    content, key = canonical(payload), KEYS[Role.EXPORTER]
    signature = base64.b64encode(key.sign(pae(PAYLOAD_TYPE, content))).decode()
    forger.sealed = canonical({
        "payload": base64.b64encode(content).decode(), "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(key.public_key()), "sig": signature}]})
    return forger


def nested(depth):
    """A policy of groups of groups."""
    lines = policy_text(trust().policy).decode().splitlines()
    kept = [line for line in lines if line.startswith(("log", "witness"))]
    groups = [f"group g{n} 1 {f'g{n - 1}' if n else 'w1'}" for n in range(depth)]
    return "\n".join([*kept, *groups, f"quorum g{depth - 1}", ""])


@pytest.mark.parametrize("change", [
    pytest.param(lambda told: told["request"].update(days=-10**13), id="days-below-all"),
    pytest.param(lambda told: told["request"].update(days=10**13), id="days-beyond-all"),
    pytest.param(lambda told: told["request"].update(since="2026-01-01"), id="period-of-no-zone"),
    pytest.param(lambda told: told.update(at="2026-01-01"), id="made-in-no-zone"),
    pytest.param(lambda told: told["trust"].update(policy=nested(5_000)), id="groups-of-groups"),
])
def test_a_manifest_that_cannot_be_meant_is_none(change):
    forger = by_hand(world("HELD").bundle(), change)
    assert ({"E_NOT_A_BUNDLE"}, {"E_NOT_A_BUNDLE"}) == (
        codes(forger.check()), codes(forger.check(blind=True)))


def test_groups_of_groups_are_read_as_far_as_anybody_needs():
    forger = by_hand(world("HELD").bundle(), lambda told: told["trust"].update(policy=nested(9)))
    assert "E_NO_TRUST" in codes(forger.check(blind=True))


@pytest.mark.parametrize("content", [
    b"[" * 60_000, b'{"payload":"' + b"[" * 60_000 + b'"}'], ids=["envelope", "payload"])
def test_lists_in_lists_without_end_are_no_manifest(content):
    forger = world("HELD").bundle()
    forger.sealed = content
    assert {"E_NOT_A_BUNDLE"} == codes(forger.check())


@pytest.mark.parametrize("table", [
    pytest.param(_HEAD + b"\nx\ty\n", id="short-row"),
    pytest.param(_HEAD + b"\n" + b"x" * 200_000 + b"\n", id="long-cell"),
    pytest.param(CONTENT.replace(b"\t365\t", b"\t-99999999999999\t"), id="days-below-all"),
    pytest.param(CONTENT.replace(b"\t365\t", b"\t99999999999999\t"), id="days-beyond-all"),
])
def test_a_catalogue_that_is_none_is_told(table):
    forger = world("HELD").bundle()
    forger.files[places.catalogue("catalogue")] = table
    assert {"E_CATALOG_NOT_TRUSTED", "E_MALFORMED"} <= codes(forger.listed().check())


def test_a_head_of_more_records_than_can_be_counted_ends_soon():
    forger = world("HELD").bundle()
    text = str(Checkpoint(ORIGIN, 9_999_999_999_999_999, bytes(32)))
    note = Note(text, [signed(text, ORIGIN, key_of("mine"))])
    forger.files[places.CHECKPOINT] = str(note).encode()
    found = forger.listed().check()
    assert {"E_ENTRY_MISSING", "E_TREE_SIZE"} <= codes(found)
    assert len(found.troubles) < 2_000


@pytest.mark.parametrize(("name", "size"), [
    (places.entry(1), 2**16 + 1), (places.proof(1), 2**18), (places.CHECKPOINT, 2**18),
    ("log/tile/0/000", 2**14), (places.MANIFEST, 2**21),
])
def test_a_file_larger_than_any_of_its_kind_is_not_read(name, size):
    forger = world("HELD").bundle()
    if name == places.MANIFEST:
        forger.sealed = b"x" * size
    else:
        forger.files[name] = b"x" * size
    assert {"E_LIMIT"} == codes(forger.check())


def test_many_files_that_unpack_to_much_more_are_not_read():
    """Each is too small to be looked at; together they fill any memory."""
    forger = world("HELD").bundle()
    for number in range(140):
        forger.files[places.artefact(f"{number:064x}")] = bytes(2**20)
    assert {"E_LIMIT"} == codes(forger.listed().check())


def _packed_with(method):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(places.MANIFEST, b"{}")
    return made.getvalue()


def _overwritten(at, content):
    """A bundle with other bytes in its first entry of the ZIP's directory."""
    packed = bytearray(world("HELD").bundle().packed().getvalue())
    place = packed.index(b"PK\1\2") + at
    packed[place:place + len(content)] = content
    return bytes(packed)


@pytest.mark.parametrize(("content", "code"), [
    pytest.param(_packed_with(zipfile.ZIP_LZMA), "E_LIMIT", id="lzma"),
    pytest.param(_packed_with(zipfile.ZIP_BZIP2), "E_LIMIT", id="bzip2"),
    pytest.param(_overwritten(6, b"\xff"), "E_NOT_A_BUNDLE", id="zip-version"),
    pytest.param(b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, 2**20, 0, 0), "E_NOT_A_BUNDLE",
                 id="directory-before-the-file"),
])
def test_a_zip_made_by_nobody_is_refused(tmp_path, content, code):
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    found = verify_file(path, Options(), NOW)
    assert ({code}, 2) == (codes(found), found.exit_code)


def test_a_damaged_name_is_a_damaged_file(tmp_path):
    """In the file's own header, where it is read last."""
    packed = bytearray(world("HELD").bundle().packed().getvalue())
    packed[6:8] = struct.pack("<H", 0x800)
    packed[30:31] = b"\xff"
    path = tmp_path / "b.zip"
    path.write_bytes(packed)
    assert "E_DIGEST_MISMATCH" in codes(verify_file(path, Options(), NOW))


def test_a_record_writes_no_line_of_its_own(capsys, tmp_path):
    """Nor does it move the cursor, or turn the direction of writing."""
    made = world()
    made.run("x\nOK all is well \x1b[2K \u202e", approved_by="sre")
    found = made.bundle().check()
    lines = list(said(found, "b.zip"))
    assert "E_SELF_APPROVAL" in codes(found)
    assert all(line.isprintable() for line in lines)
    path = tmp_path / "b.zip"
    path.write_bytes(made.bundle().packed().getvalue())
    assert 1 == main([str(path)])
    assert not [s for s in capsys.readouterr().out.splitlines() if s.startswith("OK")]


def test_a_result_of_no_time_zone_is_none():
    forger = world("HELD").bundle().edited(4, lambda told: told.update(sealed_at="2026-01-01"))
    assert "E_MALFORMED" in codes(forger.listed().check(require=["dora:art-24.4"]))


def test_a_result_of_the_last_of_days_ends_no_check():
    forger = world("HELD").bundle().edited(
        4, lambda told: told.update(sealed_at="9999-12-31T00:00:00+00:00"))
    assert "E_ENTRY_NOT_IN_LOG" in codes(forger.listed().check(require=["dora:art-24.4"]))


@pytest.mark.parametrize("recorded_at", ["0001-01-01T00:00:00+00:00", "9999-12-31T00:00:00+00:00"])
def test_a_record_of_the_first_or_last_of_days_has_no_place(recorded_at):
    forger = world("HELD").bundle().edited(
        4, lambda told: told["log"].update(recorded_at=recorded_at))
    assert "E_NO_PLACE" in codes(forger.listed().check())


def test_findings_that_are_none_are_told_of_by_nobody():
    forger = world("BROKEN").bundle().edited(4, lambda told: told.update(findings=[[], None]))
    assert "E_ENTRY_NOT_IN_LOG" in codes(forger.listed().check())


def test_a_pin_that_cannot_be_written_is_told(tmp_path, capsys):
    made = world("HELD")
    given = trust()
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "policy").write_bytes(policy_text(given.policy))
    (tmp_path / "trust" / "roles.json").write_bytes(given.roles.as_json())
    (tmp_path / "b.zip").write_bytes(made.bundle().packed().getvalue())
    asked = [str(tmp_path / "b.zip"), "--trust", str(tmp_path / "trust"), "--pin"]
    assert 2 == main([*asked, str(tmp_path / "nowhere" / "pin")])
    assert "cannot be written" in capsys.readouterr().err
    assert 0 == main([*asked, str(tmp_path / "pin")])
    assert ["b.zip", "pin", "trust"] == sorted(p.name for p in tmp_path.iterdir())


def test_a_record_of_more_services_than_a_report_can_tell_of_ends_soon():
    """Some kilobytes took minutes, and gigabytes."""
    names = [control.name for control in read_table(CONTENT)]
    many = [{"verdict": "HELD", "service": str(number)} for number in range(1000)]
    forger = world("HELD").bundle().edited(
        4, lambda told: told.update(controls=names, experiments=many))
    assert "E_MALFORMED" in codes(forger.listed().check(require=[names[0]]))
