"""E1: witnesses as processes of their own, over HTTP, killed and started again."""

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from holdfast.clients.witness import ask_witness
from holdfast.evidence.checkpoint import checkpoint_of
from holdfast.evidence.head import tree
from holdfast.evidence.merkle import consistency, leaf_hash
from holdfast.evidence.note import ED25519, Note, read_note, read_signature, signed_at, verifier
from holdfast.evidence.witness import written
from holdfast.model.record import Role
from holdfast.witness.state import Witness
from support.bundles import KEYS, ORIGIN, head, world

KILLS = int(os.environ.get("HOLDFAST_WITNESS_KILLS", "5"))
LOG = verifier(ORIGIN, KEYS[Role.LOG].public_key(), ED25519)


@dataclass
class Running:
    """A witness process; it is killed and started as often as one likes."""

    folder: Path
    process: subprocess.Popen | None = None
    url: str = ""

    def start(self) -> None:
        holdfast = Path(sys.executable).with_name("holdfast")
        self.process = subprocess.Popen(
            [holdfast, "witness", "serve", "--name", "w.example", "--folder", str(self.folder),
             "--log", str(LOG)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.url = re.search(r"http://\S+", lines[1])[0]

    def end(self, by: int) -> int:
        self.process.send_signal(by)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code


@pytest.fixture
def running(tmp_path):
    made = Running(tmp_path / "w")
    made.start()
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def ask(running, made, size, old):
    leaves = tree([leaf_hash(r.envelope) for r in made.batch.records[:size]])
    note = head(made.batch.records[:size], made.clock, ())
    proof = consistency(old, size, leaves) if 0 < old <= size else []
    return note, *ask_witness(running.url, written(old, proof, str(note)))


def test_a_head_is_signed_over_http_and_shown(running):
    made = world()
    note, status, answer = ask(running, made, 5, 0)
    key = Witness("w.example", running.folder, {}).vkey()
    assert 200 == status
    assert signed_at(Note(note.text, [read_signature(answer.strip())]), key)
    name = hashlib.sha256(ORIGIN.encode()).hexdigest()
    shown = httpx.get(f"{running.url}/{name}/checkpoint")
    assert (200, note.text) == (shown.status_code, read_note(shown.text).text)


def test_statuses_are_those_of_the_specification(running):
    made = world()
    assert 200 == ask(running, made, 9, 0)[1]
    answer = httpx.post(f"{running.url}/add-checkpoint",
                        content=written(0, [], str(head(made.batch.records[:5], made.clock, ()))))
    assert (409, "9\n", "text/x.tlog.size") == (
        answer.status_code, answer.text, answer.headers["content-type"])
    assert 422 == ask(running, world("HELD", "UNKNOWN"), 9, 9)[1]
    for path, body, status in (
        ("/add-checkpoint", b"nonsense", 400), ("/else", b"", 404),
        ("/add-checkpoint", b"x" * 70_000, 400)):
        assert status == httpx.post(running.url + path, content=body).status_code
    assert 404 == httpx.get(running.url + "/x/checkpoint").status_code
    assert 404 == httpx.get(running.url + "/").status_code


def test_a_witness_that_is_killed_again_and_again_never_goes_back(running):
    made, chance = world(*["HELD"] * 40), random.Random(3)
    signed = 0
    for _ in range(KILLS):
        for size in range(signed + 1, signed + chance.randint(2, 4)):
            note, status, _ = ask(running, made, size, signed)
            assert 200 == status
            signed = checkpoint_of(note).size
        running.end(signal.SIGKILL)
        running.start()
        _, status, answer = ask(running, made, 1, 0)
        assert (409, f"{signed}\n") == (status, answer)


def test_it_ends_on_sigterm_and_is_silent_afterwards(running):
    assert 0 == running.end(signal.SIGTERM)
    assert 0 == ask_witness(running.url, b"")[0]
