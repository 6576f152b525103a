"""The tools that figures and documents are compared with, each in an environment of its own below
.peers.

`python -m support.peers NAME` installs one.
"""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.model.suite import Objective

CHECKOUT = Path(__file__).resolve().parents[2]


def peer(name: str) -> Path:
    """The folder of the programs of a peer, installed as tests/bench/peers/NAME.txt pins it."""
    pins, folder = _pins(name), CHECKOUT / ".peers" / name
    if installed(name) is None:
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check",
             "-r", str(pins), "-c", str(CHECKOUT / "requirements.txt"))
        (folder / "ready").write_text(_mark(pins))
    return folder / "bin"


def installed(name: str) -> Path | None:
    """The same folder, if it is there already as it is pinned; nothing is installed."""
    pins, folder = _pins(name), CHECKOUT / ".peers" / name
    stamp = folder / "ready"
    return folder / "bin" if stamp.exists() and stamp.read_text() == _mark(pins) else None


def chaos(strategy: Sequence[str], experiment: Path) -> list[str]:
    """The command that runs an experiment of Chaos Toolkit's."""
    return [str(peer("chaostoolkit") / "chaos"), "--no-version-check", "run", *strategy,
            "--journal-path", str(experiment.with_suffix(".journal")), str(experiment)]


def objectives_hold(prometheus: str, objectives: Sequence[Objective]) -> dict[str, Any]:
    """Chaos Toolkit's probe of a suite's objectives: one series is left when all of them hold.

    The comparing is Prometheus', in one question: no way to ask is cheaper or quicker.
    """
    query = " and ".join(
        f"({o.indicator.prometheus}) {o.objective.op} {o.objective.value!r}" for o in objectives
    )
    return {
        "type": "probe", "name": "objectives hold",
        "tolerance": {"type": "jsonpath", "path": "$.data.result[*].value", "target": "body",
                      "count": 1},
        "provider": {"type": "http", "url": f"{prometheus}/api/v1/query", "timeout": 2,
                     "arguments": {"query": query}},
    }


def safeguards(probe: dict[str, Any], every_seconds: float) -> dict[str, Any]:
    """Chaos Toolkit's control that ends an experiment when the probe is not met."""
    return {"name": "safeguards", "provider": {
        "type": "python", "module": "chaosaddons.controls.safeguards",
        "arguments": {"probes": [probe | {"frequency": every_seconds}]}}}


def _pins(name: str) -> Path:
    return CHECKOUT / "tests" / "bench" / "peers" / f"{name}.txt"


def _mark(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes()).hexdigest()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert not done.returncode, done.stderr


if __name__ == "__main__":
    peer(sys.argv[1])
