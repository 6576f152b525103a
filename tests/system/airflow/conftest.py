"""One deployment for all tests of this folder, and the table of the kills."""

import os
from pathlib import Path

import pytest

from support import lab_suites
from support.kills import Table, Turn
from support.lab import CHECKOUT, deployment

SHIPPED = ("shop-core", "shop-lag", "shop-abort", "ledger", "ledger-async", "ledger-weak",
           "health-records")
ROUNDS = int(os.environ.get("HOLDFAST_KILL_ROUNDS", "1"))
TABLE = pytest.StashKey[Table]()


def pytest_configure(config):
    config.addinivalue_line("markers", "brief: the fault is to run its time")
    config.stash[TABLE] = Table()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Shop, Airflow, janitor; suites of our own beside the shipped ones."""
    shipped = {
        name: (CHECKOUT / "experiments" / f"{name}.suite.yaml").read_text() for name in SHIPPED
    }
    own = dict(lab_suites.texts())
    with deployment(tmp_path_factory.mktemp("lab"), own | shipped) as lab:
        yield lab


@pytest.fixture(scope="session")
def table(request):
    return request.config.stash[TABLE]


def pytest_generate_tests(metafunc):
    """HOLDFAST_KILL_ROUNDS repeats every case of the kill tests."""
    if "turn" in metafunc.fixturenames:
        metafunc.parametrize("turn", range(ROUNDS), indirect=True, ids=lambda n: f"{n + 1}")


def pytest_collection_modifyitems(items):
    """Round by round, so that a table of rounds cut short is still an even one."""
    places = [n for n, item in enumerate(items) if "turn" in item.fixturenames]
    cases = sorted((items[n] for n in places), key=lambda item: item.callspec.params["turn"])
    for place, item in zip(places, cases, strict=True):
        items[place] = item


@pytest.fixture
def turn(request):
    """The lanes take turns; a held fault waits for its case, so it may begin before."""
    cases = [item for item in request.session.items if "turn" in item.fixturenames]
    here = cases.index(request.node)
    following = next(iter(cases[here + 1:here + 2]), None)
    is_held = following is not None and following.get_closest_marker("brief") is None
    suite = lab_suites.brief if request.node.get_closest_marker("brief") else lab_suites.held
    ahead = lab_suites.held((here + 1) % lab_suites.LANES) if is_held else ""
    return Turn(suite(here % lab_suites.LANES), ahead)


def pytest_terminal_summary(terminalreporter, config):
    table = config.stash[TABLE]
    if not table.kills:
        return
    text = table.markdown()
    terminalreporter.section("kills with Airflow")
    terminalreporter.write(text)
    if path := os.environ.get("HOLDFAST_KILL_TABLE"):
        Path(path).write_text(text)
