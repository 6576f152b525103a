"""Ports that are chosen are nobody else's, also before anybody listens on them."""

import subprocess
import sys
from pathlib import Path

from shop import free_ports
from shop.free_ports import choose

_CLAIM = "import sys; from shop.free_ports import _claim; print(_claim(int(sys.argv[1])))"


def claimed(port: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _CLAIM, str(port)], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(free_ports.__file__).parents[1])})
    return done.stdout.strip()


def test_another_process_cannot_choose_what_this_one_has():
    port = choose(["listen"])["listen"]
    assert "False" == claimed(port)


def test_names_get_different_ports():
    ports = choose(map(str, range(20)))
    assert 20 == len(set(ports.values()))
