"""Evidence of real runs: seen by witnesses, handed to others, checked without us (E1, E3)."""

import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import _cffi_backend
import cryptography
import pytest

from support import lab_suites
from support.finished import finished
from support.lab_suites import SEEN

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


@contextmanager
def witness(lab, name, folder):
    """A witness of this deployment's log, a process of its own."""
    policy = (lab.settings.trust / "policy").read_text()
    log = next(line.removeprefix("log ") for line in policy.splitlines() if line[:4] == "log ")
    command = [str(Path(sys.executable).parent / "holdfast"), "witness", "serve", "--name", name,
               "--folder", str(folder), "--log", log]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        told = dict(process.stdout.readline().split(None, 1) for _ in range(2))
        yield f"witness {name} {told['key'].strip()} {told['address'].strip()}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def policy(lab):
    """The deployment's own policy, put back in the end."""
    assert 0 == lab.command("evidence", "trust").returncode
    file = lab.settings.trust / "policy"
    kept = file.read_text()
    yield file
    file.write_text(kept)


@pytest.fixture
def bare(tmp_path):
    """A folder of packages with cryptography and what that needs, and nothing else."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for package in (Path(cryptography.__file__).parent, Path(_cffi_backend.__file__)):
        (folder / package.name).symlink_to(package)
    return folder


def checked(bundle, bare, *words):
    """What the one-file verifier says, in an interpreter without our packages."""
    return subprocess.run(
        [sys.executable, "-S", "v.pyz", bundle.name, "--trust", "trust", "--pin", "pin", *words],
        cwd=bundle.parent, env={"PYTHONPATH": str(bare), "PATH": os.defpath}, text=True,
        capture_output=True, check=False)


def exported(lab, folder, *words):
    for command in (("trust", "trust"), ("verifier", "v.pyz"), ("export", "b.zip", *words)):
        name, file, *more = command
        done = lab.command("evidence", name, str(folder / file), *more)
        assert 0 == done.returncode, done.stdout + done.stderr
    return folder / "b.zip"


def test_no_fault_begins_before_witnesses_have_signed_its_start(lab, policy, tmp_path, bare):
    """E1: two of two are asked; with one of them the run is postponed, with both it is HELD."""
    own = policy.read_text().replace("quorum none\n", "")
    with ExitStack() as both:
        lines = [both.enter_context(witness(lab, f"{n}.example", tmp_path / n))
                 for n in ("w1", "w2")]
        group = "group both 2 w1.example w2.example\nquorum both\n"
        short = "group both 2 w1.example gone.example\nquorum both\n"
        gone = lines[1].replace("w2.example ", "gone.example ", 1).rpartition(" ")[0]
        policy.write_text(own + "\n".join([lines[0], f"{gone} http://127.0.0.1:9"]) + "\n" + short)
        code, said, run = finished(lab, SEEN)
        assert (3, []) == (code, list(run.leases)), said
        assert "gone.example" in said
        policy.write_text(own + "\n".join(lines) + "\n" + group)
        code, said, run = finished(lab, SEEN)
        assert (0, "success") == (code, run.state()), said
        assert 0 == lab.command("evidence", "cosign").returncode
        bundle = exported(lab, tmp_path)
    done = checked(bundle, bare)
    assert 0 == done.returncode, done.stdout + done.stderr


@contextmanager
def log_down(lab):
    """The evidence log takes no record; the rest of the store works."""
    with closing(sqlite3.connect(lab.settings.books, timeout=60)) as link:
        link.execute("CREATE TRIGGER down BEFORE INSERT ON record "
                     "BEGIN SELECT RAISE(ABORT, 'down'); END")
        link.commit()
        try:
            yield
        finally:
            link.execute("DROP TRIGGER down")
            link.commit()


def test_a_log_that_is_down_ends_a_strict_run_and_delays_a_patient_one(lab, tmp_path, bare):
    """E1: strict has no fault; buffer has all its records on disk, and in the log later."""
    with log_down(lab):
        code, said, run = finished(lab, lab_suites.brief(0))
        assert (6, []) == (code, list(run.leases)), said
        code, said, run = finished(lab, lab_suites.PATIENT)
        assert (0, "success") == (code, run.state()), said
        assert 1 == len(run.leases)
        assert [] == list(lab.ports.notary.records(run.id))
        told = lab.command("evidence", "reconcile", "--no-airflow")
        assert "E_NOT_IN_LOG" in told.stdout
    assert "E_NOT_IN_LOG" not in lab.command("evidence", "reconcile", "--no-airflow").stdout
    kinds = [r.predicate_type.split("/")[-2] for r in lab.ports.notary.records(run.id)]
    assert ["plan", "run-start", "result", "report"] == kinds
    done = checked(exported(lab, tmp_path, "--suite", lab_suites.PATIENT), bare)
    assert (0, 4) == (done.returncode, done.stdout.count("reached the log")), done.stdout


def test_health_records_are_held_and_leave_in_a_bundle(lab, tmp_path, bare):
    """E2, E3: reads that had to be flagged, credentials, the log itself; and then for auditors."""
    code, said, run = finished(lab, "health-records")
    assert (0, "success") == (code, run.state()), said
    assert "evidence_log HELD" in said
    bundle = exported(lab, tmp_path, "--framework", "dora", "--framework", "hipaa-security")
    done = checked(bundle, bare, "--require", "hipaa-security:164.308(a)(7)(ii)(D)",
                   "--require", "dora:art-25.1")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "report reproduced" in done.stdout
    assert 0 == lab.command("evidence", "reconcile").returncode
