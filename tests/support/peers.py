"""The tools that figures are compared with, each in an environment of its own below .peers."""

import hashlib
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def peer(name: str) -> Path:
    """The folder of the programs of a peer, installed as tests/bench/peers/NAME.txt pins it."""
    pins = CHECKOUT / "tests" / "bench" / "peers" / f"{name}.txt"
    folder = CHECKOUT / ".peers" / name
    mark = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp = folder / "ready"
    if not stamp.exists() or stamp.read_text() != mark:
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check",
             "-r", str(pins), "-c", str(CHECKOUT / "requirements.txt"))
        stamp.write_text(mark)
    return folder / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert not done.returncode, done.stderr
