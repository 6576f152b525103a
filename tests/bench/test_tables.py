"""How long a table of a million rows takes to compare. Run by `make bench` only."""

import time

from holdfast.checkers.tables import CHECKER
from holdfast.clients.postgres import cluster
from holdfast.clients.rows import look
from holdfast.ports.checkers import Answers, Moment, Observed
from support.shop import postgres_pair

ROWS, GOAL_SECONDS = 1_000_000, 3.0
CHANGES = ("DELETE FROM prices WHERE item = 77", "INSERT INTO prices VALUES (2000000, 'new', 1)",
           "UPDATE prices SET cents = cents + 1 WHERE item IN (5, 999999)")


def test_a_million_rows_before_and_after(tmp_path, capsys):
    """Reading is the import; comparing is the checker's own work, on rows that were read."""
    params = CHECKER.params(table="prices", key=("item",), columns=("name", "cents"), show=True)
    with postgres_pair(tmp_path):
        nodes = cluster(str(tmp_path), "shop_db")
        do(nodes, "CREATE TABLE prices AS SELECT n AS item, 'goods ' || n AS name, "
                  f"n % 9000 AS cents FROM generate_series(1, {ROWS}) AS n")
        before, first = answers(nodes, params)
        do(nodes, *CHANGES)
        after, second = answers(nodes, params)
    began = time.perf_counter()
    checked = CHECKER.check(Observed(after=after, before=before), params)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{ROWS:,} rows: read {first:.1f} and {second:.1f} s, compared {seconds:.2f} s")
    assert {
        "missing": ["77"], "extra": ["2000000"], "duplicated": [],
        "changed": ["5 (cents 5 to 6)", "999999 (cents 999 to 1000)"],
    } == dict(checked.anomalies)
    assert seconds < GOAL_SECONDS


def answers(nodes, params):
    began = time.perf_counter()
    (query,) = CHECKER.asks(Moment.AFTER, params).values()
    with look(nodes, nodes.primary(), time.monotonic) as seen:
        rows = list(seen.rows(query))
    return Answers("now", seen.begun, seen.ended, {"rows": rows}), time.perf_counter() - began


def do(nodes, *statements):
    with nodes.session(nodes.primary()) as link:
        for statement in statements:
            link.execute(statement.encode())
