"""The supervisor: what it reads, how long it waits, what it restarts."""

import json
import sys
from pathlib import Path

from shop import processes
from shop.supervisor import BACKOFF, Child, Job, Patience, Spec


def test_each_death_in_a_row_makes_the_pause_longer_up_to_the_last():
    patience = Patience((0.2, 0.5, 1.0))
    assert [0.2, 0.5, 1.0, 1.0] == [patience.after(0.1) for _ in range(4)]


def test_a_steady_run_makes_the_pause_short_again():
    patience = Patience((0.2, 0.5, 1.0))
    patience.after(0.1)
    patience.after(0.1)
    assert [0.2, 0.5] == [patience.after(60.0), patience.after(0.1)]


def test_a_spec_needs_only_names_and_commands(tmp_path):
    file = tmp_path / "spec.json"
    job = {"name": "one", "argv": ["true"]}
    file.write_text(json.dumps({"run_dir": "/r", "log_dir": "/l", "processes": [job]}))
    jobs = (Job("one", ("true",), backoff=BACKOFF),)
    assert Spec(Path("/r"), Path("/l"), jobs) == Spec.read(file)


def test_a_spec_keeps_all_that_it_is_told(tmp_path):
    file = tmp_path / "spec.json"
    job = {"name": "one", "argv": ["x"], "env": {"A": "b"}, "cwd": "/c", "user": "u"}
    job["backoff_seconds"] = [3]
    file.write_text(
        json.dumps({"run_dir": "/r", "log_dir": "/l", "spare": ["w"], "processes": [job]})
    )
    spec = Spec.read(file)
    assert (Job("one", ("x",), {"A": "b"}, "/c", "u", (3,)),) == spec.jobs
    assert ("w",) == spec.spare


def _child(tmp_path, *argv):
    (tmp_path / "logs").mkdir()
    job = Job("one", argv)
    return Child(job, Spec(tmp_path / "run", tmp_path / "logs", (job,)))


def _tend_until(child, now, condition):
    assert processes.wait_for(lambda: (child.tend(now), condition())[1], 5)


def test_a_dead_process_starts_again_only_after_its_pause(tmp_path):
    child = _child(tmp_path, sys.executable, "-c", "print(1)")
    child.tend(0.0)
    first = child.pid
    _tend_until(child, 1.0, lambda: child.pid is None)
    child.tend(1.1)
    assert child.pid is None
    child.tend(1.3)
    assert child.pid not in (None, first)
    assert f"{child.pid}\n" == (tmp_path / "run" / "one.pid").read_text()
    _tend_until(child, 1.4, lambda: child.pid is None)


def test_a_command_that_is_not_there_is_tried_again_not_fatal(tmp_path, capsys):
    child = _child(tmp_path, "/nonexistent/command")
    child.tend(0.0)
    assert child.pid is None
    assert "does not start" in capsys.readouterr().out


def test_a_process_starts_with_what_its_environment_file_says_now(tmp_path):
    """F2: a changed file is felt at the next start, and only by the process of that name."""
    child = _child(tmp_path, sys.executable, "-c", "import os; print(os.environ.get('LIKE', '-'))")
    log, file = tmp_path / "logs" / "one.log", tmp_path / "env" / "one.env"
    file.parent.mkdir()
    (tmp_path / "env" / "two.env").write_text("LIKE=two\n")
    for now, text in enumerate(("LIKE=a=b", "# LIKE=no\nnonsense\n LIKE = c ")):
        file.write_text(text + "\n")
        child.tend(now * 60.0)
        _tend_until(child, now * 60.0 + 1, lambda: child.pid is None)
    file.unlink()
    child.tend(120.0)
    _tend_until(child, 121.0, lambda: child.pid is None)
    assert "a=b c -" == " ".join(log.read_text().split())
