"""docs/your-own-system.md does what it says: its commands, on the service that it brings (C1)."""

import re
import shlex
import shutil
import socket
import stat

import psycopg
import pytest
import typer

from holdfast.cli.main import app
from holdfast.clients.connections import connection_ids
from holdfast.clients.prometheus import PrometheusMetrics
from holdfast.errors import FaultError
from holdfast.faults.postgres.lock_storm import DRIVER as LOCK
from holdfast.faults.postgres.terminate_connections import DRIVER as TERMINATE
from holdfast.spec.load import load_suite
from support.page import Page, Reader
from support.waiting import wait_for

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs Debian's prometheus"),
]
PAGE = Page("your-own-system.md")
SERVED = 'sum(rate(http_requests_total{code="200"}[5s]))'
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = 'web'"
FAILED = 'sum(rate(http_requests_total{code!="200"}[5s])) or vector(0)'


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    reader = Reader(tmp_path_factory.mktemp("reader"), PAGE)
    try:
        reader.types(2, 3, 4, 5)
        metrics = PrometheusMetrics(f"http://127.0.0.1:{reader.port(8104)}")
        wait_for(lambda: (metrics.now(SERVED).value or 0) > 5, 30)
        wait_for(lambda: metrics.now(FAILED).value == 0, 30)
        yield reader
    finally:
        reader.leave()


@pytest.fixture(scope="module")
def connected(reader):
    return reader.types(6)


@pytest.fixture(scope="module")
def drafted(reader, connected):
    return reader.types(7)


def test_addresses_are_listed_and_no_secret_is(reader, connected):
    assert 0o600 == stat.S_IMODE((reader.home / "connections.json").stat().st_mode)
    secrets = [file.read_text().strip() for file in (reader.home / "example").glob("*.secret")]
    assert 3 == len(secrets)
    assert not [secret for secret in secrets if secret in connected]


def test_the_login_of_holdfast_reads_no_data(reader, connected):
    denied = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(reader.address("holdfast")) as link, denied:
        link.execute("SELECT * FROM greeting")


def test_a_login_that_lacks_rights_is_told_which_before_anything_is_hit(reader, connected):
    """Who owns a session may end it, but not see or end those of others (F3, S3)."""
    reader.connects("plain_db", "web")
    with pytest.raises(FaultError, match="GRANT pg_read_all_stats, pg_signal_backend to it"):
        TERMINATE.targets(reader.fault("postgres.terminate_connections", "plain_db"))
    with pytest.raises(FaultError, match=r"GRANT UPDATE ON public\.greeting to it"):
        LOCK.targets(reader.fault("postgres.lock_storm", "plain_db"))


def test_the_rights_of_the_page_end_the_sessions_of_users_and_of_no_superuser(reader, connected):
    fault = reader.fault("postgres.terminate_connections", "example_db")
    with psycopg.connect(reader.address("admin"), autocommit=True) as admin:
        recipe = TERMINATE.arm(fault, "L-1")
        before = admin.execute(SESSIONS).fetchall()
        TERMINATE.inject(recipe)
        TERMINATE.revert(recipe)
        after = admin.execute(SESSIONS).fetchall()
    assert before
    assert not set(before) & set(after)
    assert [] == TERMINATE.residue(recipe)


def test_the_draft_has_the_three_faults_and_the_plan_finds_what_they_hit(reader, drafted):
    suite = load_suite(reader.root / "experiments" / "example.suite.yaml").suite
    assert ["process.hang", "network.latency", "postgres.terminate_connections"] == [
        e.fault.type for r in suite.rounds for e in r.experiments
    ]
    hits = re.findall(r"hits +(\S+) .*\((\d+)% of", drafted)
    assert [
        ("web-1", "50"), ("example_proxy:example", "100"), ("example_db/127.0.0.1", "100"),
    ] == hits


def test_the_guard_reads_every_objective_for_every_fault(reader, drafted):
    told = reader.types(8, codes=(0, 4))  # 4 where this machine is too busy to serve in time
    assert 3 == len(re.findall(r"^\S+: \d+ renewals, ", told, re.MULTILINE))
    assert re.search(r"latency-p95 [\d.]+m?s .*errors [\d.]+% .*availability [\d.]+% ", told)


def test_stopped_and_cleaned_up_nothing_of_it_is_left(reader, drafted):
    reader.types(10)
    for page in range(8101, 8108):
        with socket.socket() as link:
            assert link.connect_ex(("127.0.0.1", reader.port(page))), page
    assert not (reader.home / "example").exists()
    assert not {"prometheus_default", "example_proxy", "example_db"} & set(
        connection_ids(reader.home / "connections.json"))


@pytest.mark.parametrize("line", re.findall(r"^ *(holdfast [^#\n\\]+)", PAGE.text, re.MULTILINE))
def test_every_command_is_one_that_there_is(line):
    """Those that need Airflow too: their words are parsed, and nothing is run."""
    _, name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    assert command.make_context(name, words)
