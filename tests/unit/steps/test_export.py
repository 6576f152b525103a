"""E1, E3: a sealed run leaves the house in a bundle that others can check."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.audit import places
from holdfast.audit.asked import Asked
from holdfast.audit.check import check_bundle
from holdfast.audit.opened import opened
from holdfast.audit.request import Request
from holdfast.audit.verify import Options, verify_file
from holdfast.cli.pyz import write_pyz
from holdfast.errors import EvidenceError
from holdfast.model.record import PREDICATES, Statement
from holdfast.oscal.lint import lint
from holdfast.oscal.words import control_ids
from holdfast.settings import Settings
from holdfast.steps.catalogues import catalogue
from holdfast.steps.export import export, write_trust
from holdfast.wiring import ports as wired
from support.evidence_runs import two_runs
from support.oscal_runs import real

NOW = datetime(2027, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("quick_pdf")


@pytest.fixture
def sealed(tmp_path):
    """A real run, sealed and reported, with an approval."""
    return real(tmp_path / "home")


def test_a_sealed_run_is_exported_and_checks_with_oscal_and_pdf(sealed, tmp_path):
    made = export(sealed, Request(), tmp_path / "b.zip")
    write_trust(sealed, tmp_path / "trust")
    found = verify_file(tmp_path / "b.zip", Options(tmp_path / "trust", tmp_path / "pin"), NOW)
    assert ([], (), 1) == (found.troubles, made.missing, found.runs)
    with opened(tmp_path / "b.zip") as bundle:
        oscal = {n: bundle.read(n) for n in bundle.names if n.startswith(places.OSCAL)}
        assert {"report/report.pdf", "oscal/assessment-results.json"} <= bundle.names
    told = {name.removeprefix(places.OSCAL): content for name, content in oscal.items()}
    assert [] == list(lint(told, control_ids(catalogue().values())))
    assert (tmp_path / "pin").read_text() == sealed.log.head()[0]


def test_the_one_file_verifier_needs_cryptography_only(sealed, tmp_path):
    """E1: as an auditor runs it, with none of our packages to be had."""
    import _cffi_backend
    import cryptography

    bare = tmp_path / "bare"
    bare.mkdir()
    for package in (Path(cryptography.__file__).parent, Path(_cffi_backend.__file__)):
        (bare / package.name).symlink_to(package)
    export(sealed, Request(), tmp_path / "b.zip")
    write_trust(sealed, tmp_path / "trust")
    write_pyz(tmp_path / "v.pyz")
    done = subprocess.run(
        [sys.executable, "-S", "v.pyz", "b.zip", "--trust", "trust", "--pin", "pin"],
        cwd=tmp_path, env={"PYTHONPATH": str(bare)}, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert "report reproduced" in done.stdout
    bad = subprocess.run(
        [sys.executable, "-S", "v.pyz", "b.zip", "--trust", "nowhere"],
        cwd=tmp_path, env={"PYTHONPATH": str(bare)}, capture_output=True, text=True, check=False)
    assert (2, True) == (bad.returncode, "cannot be read" in bad.stderr)


def test_the_same_request_and_head_give_the_same_bytes(sealed, tmp_path):
    for name in ("a.zip", "b.zip"):
        export(sealed, Request(), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_file_that_is_gone_is_told_and_found_missing(tmp_path):
    ports = two_runs(tmp_path)
    (kept,) = ports.artefacts.of("secret--1")
    ports.artefacts.path(kept).write_bytes(b"another")
    made = export(ports, Request(), tmp_path / "b.zip")
    assert (kept.digest.removeprefix("sha256:"),) == made.missing
    write_trust(ports, tmp_path / "trust")
    found = verify_file(tmp_path / "b.zip", Options(tmp_path / "trust"), NOW)
    assert ["E_ARTEFACT_MISSING"] == [t.code for t in found.troubles]
    assert 3 == found.exit_code


def test_a_period_that_is_over_is_told_of_to_its_end(tmp_path):
    """Nobody has written since: the head of before is the head at its end."""
    ports = two_runs(tmp_path)
    over = datetime.now(UTC)
    for name in ("a.zip", "b.zip"):
        export(ports, Request(until=over), tmp_path / name)
    write_trust(ports, tmp_path / "trust")
    options = Options(tmp_path / "trust", period=f"..{over.isoformat()}")
    assert 0 == verify_file(tmp_path / "a.zip", options, NOW).exit_code
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_empty_log_has_nothing_to_export(tmp_path):
    ports = wired(Settings(tmp_path, tmp_path))
    with pytest.raises(EvidenceError, match="the log is empty"):
        export(ports, Request(), tmp_path / "b.zip")


def test_a_log_with_a_damaged_record_is_not_exported(tmp_path):
    import sqlite3

    ports = two_runs(tmp_path)
    with sqlite3.connect(ports.settings.books) as db:
        db.execute("DROP TRIGGER record_no_update")
        db.execute("UPDATE record SET envelope = CAST('{}' AS BLOB) WHERE number = 2")
    db.close()
    with pytest.raises(EvidenceError, match="record 2: it cannot be exported"):
        export(ports, Request(), tmp_path / "b.zip")


def test_a_log_that_was_cut_back_is_missed_by_the_pin(tmp_path):
    ports = two_runs(tmp_path)
    write_trust(ports, tmp_path / "trust")
    export(ports, Request(), tmp_path / "old.zip")
    ports.notary.append("checkout--1", Statement(f"{PREDICATES}report/v1", {}, {
        "plan_digest": "sha256:p"}))
    export(ports, Request(), tmp_path / "new.zip")
    options = Options(tmp_path / "trust", tmp_path / "pin")
    assert 0 == verify_file(tmp_path / "new.zip", options, NOW).exit_code
    found = verify_file(tmp_path / "old.zip", options, NOW)
    assert (["E_LOG_TRUNCATED"], 4) == ([t.code for t in found.troubles], found.exit_code)


def test_a_bundle_of_a_real_run_says_what_its_own_keys_show(sealed, tmp_path):
    export(sealed, Request(), tmp_path / "b.zip")
    with opened(tmp_path / "b.zip") as bundle:
        found = check_bundle(bundle, None, Asked(NOW))
    assert ["E_NO_TRUST"] == [t.code for t in found.troubles]
