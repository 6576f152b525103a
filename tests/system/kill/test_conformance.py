"""The form of the conformance table that every test run takes: two drivers, real targets (S4)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shop.down import down
from shop.up import up

pytestmark = [pytest.mark.system, pytest.mark.kill, pytest.mark.timeout(960)]
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop to hit."""
    home = tmp_path_factory.mktemp("conformance")
    up(home)
    yield home
    down(home)


def conformance(home, *words):
    return subprocess.run(
        [str(Path(sys.executable).parent / "holdfast"), "conformance", *words], text=True,
        check=False, capture_output=True, cwd=CHECKOUT, timeout=900,
        env={"PATH": os.defpath, "HOLDFAST_HOME": str(home), "COLUMNS": "200"},
    )


def test_whoever_dies_whenever_nothing_is_left(home, tmp_path):
    table = tmp_path / "table.md"
    done = conformance(home, "network.latency", "process.hang", "--table", str(table))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "36 deaths of 2 drivers, 0 with something left or wrong." in table.read_text()


def test_a_driver_that_the_suite_does_not_use_is_refused(home):
    done = conformance(home, "docker.kill")
    assert (done.returncode, "no fault of type 'docker.kill'" in done.stderr) == (2, True)
