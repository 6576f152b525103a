"""What of the state folder a suite may never name (S4: who watches is no target)."""

import pytest

from holdfast.model.own import is_own_path, is_own_process


@pytest.mark.parametrize("path", [
    ".", "live.db", "live.db-wal", "books.db", "keys/runner.pem", "journal/x", "connections.json",
    "airflow/airflow.cfg", "HOLD", "stops.jsonl", "artefacts/run/report.html",
    "workloads/run/ledger.jsonl",
])
def test_these_are_ours(path):
    assert is_own_path(path)


@pytest.mark.parametrize("path", ["shop/history/orders.jsonl", "run/web-1.pid", "mine/keys/x"])
def test_these_are_not(path):
    assert not is_own_path(path)


@pytest.mark.parametrize("pattern", [
    "**/*.pid", "shop/run/*.pid", "*/run/p*.pid", "airflow/run/scheduler.pid", "x/prometheus.pid",
    "journal/*.pid", "*/*/*", "**", "**/" * 300 + "scheduler.pid",
])
def test_a_pattern_that_could_name_who_watches_is_refused(pattern):
    assert is_own_process(pattern)


@pytest.mark.parametrize("pattern", [
    "*.pid", "run/*.pid", "run/web-*.pid", "shop/run/api-*.pid", "mine/*/*.pid",
    "**/" * 5000 + "x",
])
def test_a_pattern_of_other_folders_is_not(pattern):
    assert not is_own_process(pattern)
