"""The tools that figures are compared with, each in an environment of its own below .peers."""

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


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert not done.returncode, done.stderr
