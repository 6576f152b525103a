"""R6: what is wrong with the data of a real database is found and named, and nothing else is."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.clients.postgres import Cluster, cluster
from holdfast.errors import Postponed
from holdfast.model.operation import Operation
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.steps.check import check
from holdfast.steps.snapshot import snapshot
from support.after import ended, found, record
from support.runs import RUN
from support.shop import postgres_pair

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # loading a library may take long
BANK = "{checker: bank, history: transfers}"
TABLES = ("{checker: tables, service: database, params: "
          "{table: stock, key: [item], columns: [name, price_cents], show: true}}")
EXPECTATIONS = """{checker: expectations, service: database, params: {tables: [
      {expect: rows, table: orders, at_least: before},
      {expect: unique, table: copies, column: key},
      {expect: present, table: orders, column: placed},
      {expect: range, table: stock, column: units, at_least: 0},
      {expect: sum, table: accounts, column: balance, equal: before},
      {expect: reference, table: copies, column: item, to: [stock, item]}]}}"""
TRANSFERS = """    transfers:
      file: shop/history/orders.jsonl
      postgres: shop_db
      query: SELECT key FROM transfers WHERE done
objectives:"""
KEYS = [f"t{n}" for n in range(20)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("pair")
    with postgres_pair(home):
        yield home


@pytest.fixture
def nodes(home: Path) -> Cluster:
    nodes = cluster(str(home), "shop_db")
    do(nodes, "DROP TABLE IF EXISTS copies",
       "DELETE FROM transfers", "UPDATE accounts SET balance = 1000",
       "DELETE FROM accounts WHERE id > 100", "SELECT place_order('o1', 1, 1)",
       "CREATE TABLE copies AS SELECT * FROM orders",  # a table that nothing protects
       "UPDATE stock SET price_cents = 650 WHERE item = 3")
    return nodes


def do(nodes: Cluster, *statements: str) -> None:
    with nodes.session(nodes.primary()) as link:
        for statement in statements:
            link.execute(statement.encode())


def transfer(n: int, outcome: str = "ok") -> Operation:
    value = {"key": KEYS[n], "source": 1 + n % 3, "target": 4 + n % 5, "amount": 1 + n}
    at = 1015.0 + n / 10
    return Operation(n, n, "transfer", value, at, at, at + 0.05, outcome)  # type: ignore[arg-type]


def begun(home: Path, folder: Path, item: str) -> Ports:
    """A run whose data was looked at before its first fault."""
    ports = ended(
        folder, ("link: {proxy", "database: {postgres: shop_db}\n    link: {proxy"),
        ("objectives:", TRANSFERS), ("{checker: lost_writes, history: orders}", item),
        (", recovery_point: 0", ""),
    )
    (folder / "connections.json").write_text((home / "connections.json").read_text())
    (folder / "connections.json").chmod(0o600)
    ports.clock.passed = 12.0  # type: ignore[attr-defined]
    snapshot(ports, RUN)
    return ports


def moved(ports: Ports, nodes: Cluster, *unsure: int) -> Ports:
    """Twenty transfers were made; of some nobody knows."""
    for n in range(len(KEYS)):
        value = transfer(n).value
        assert isinstance(value, dict)
        nodes.ask(nodes.primary(), "SELECT move_money(%s, %s, %s, %s)", *value.values())
    record(ports, [transfer(n, "info" if n in unsure else "ok") for n in range(len(KEYS))])
    ports.clock.passed = 25.0  # type: ignore[attr-defined]
    return ports


def finding(ports: Ports, name: str) -> Finding:
    check(ports, RUN)
    return found(ports, name)


def test_money_moved_as_told_is_held(home: Path, nodes: Cluster, tmp_path: Path) -> None:
    ports = moved(begun(home, tmp_path, BANK), nodes, 3, 4)
    snapshot(ports, RUN, "first")
    said = finding(ports, "bank")
    assert (Verdict.HELD, "transfers: 18 acknowledged transfers are booked, and 100 balances "
            "add up at 3 looks") == (said.verdict, said.text)


@pytest.mark.parametrize(("defect", "told"), [
    ("UPDATE accounts SET balance = balance + 7 WHERE id = 50",
     "the balances do not add up: after first: 100007 instead of 100000, after all rounds: 100007 "
     "instead of 100000; no transfer explains what became of account 50 by +7"),
    ("INSERT INTO accounts VALUES (101, 5)", "no transfer explains what became of account 101"),
    ("UPDATE accounts SET balance = CASE id WHEN 50 THEN 990 ELSE 1010 END WHERE id IN (50, 51)",
     "no transfer explains what became of account 50 by -10, account 51 by +10"),
    ("DELETE FROM transfers WHERE key = 't5'", "1 acknowledged transfers are not booked: t5"),
    ("DELETE FROM transfers WHERE key = 't3'", "what is booked does not explain what became of"),
    ("ALTER TABLE accounts DROP CONSTRAINT accounts_balance_check; UPDATE accounts SET balance = "
     "balance - 1000 WHERE id = 60", "negative balances: 60"),
])
def test_a_leak_of_money_is_found_and_named(
    home: Path, nodes: Cluster, tmp_path: Path, defect: str, told: str
) -> None:
    if "negative" in told:
        do(nodes, "UPDATE accounts SET balance = 500 WHERE id = 60")
    ports = moved(begun(home, tmp_path, BANK), nodes, 3, 4)
    do(nodes, *defect.split("; "))
    snapshot(ports, RUN, "first")
    said = finding(ports, "bank")
    assert (Verdict.BROKEN, True) == (said.verdict, told in said.text), said.text


def test_an_acknowledged_transfer_that_a_trigger_drops_is_named(
    home: Path, nodes: Cluster, tmp_path: Path
) -> None:
    ports = begun(home, tmp_path, BANK)
    do(nodes, """CREATE OR REPLACE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.key = ''t7'' THEN NEW.done := false; END IF; RETURN NEW; END'""",
       "CREATE TRIGGER forgetful BEFORE INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION forget()")
    try:
        said = finding(moved(ports, nodes), "bank")
    finally:
        do(nodes, "DROP TRIGGER forgetful ON transfers")
    assert "transfers: 1 acknowledged transfers are not booked: t7" == said.text


def test_rows_as_they_were_are_held_to_the_row(home: Path, nodes: Cluster, tmp_path: Path) -> None:
    said = finding(begun(home, tmp_path, TABLES), "tables")
    assert (Verdict.HELD, "database: 8 rows of stock are as they were (name, price_cents)") == (
        said.verdict, said.text)


def test_a_price_that_changed_and_goods_that_came_and_went_are_named(
    home: Path, nodes: Cluster, tmp_path: Path
) -> None:
    ports = begun(home, tmp_path, TABLES)
    do(nodes, "UPDATE stock SET price_cents = 1 WHERE item = 3",
       "INSERT INTO stock VALUES (9, 'Free beer', 'beer', 0, 1, 1)",
       "UPDATE stock SET item = 10 WHERE item = 8")
    said = finding(ports, "tables")
    do(nodes, "UPDATE stock SET item = 8 WHERE item = 10", "DELETE FROM stock WHERE item = 9")
    (kept,) = [a for a in ports.artefacts.of(RUN) if a.name == "tables-database.json"]
    assert {"missing": ["8"], "extra": ["10", "9"], "changed": ["3 (price_cents 650 to 1)"]} == (
        json.loads(ports.artefacts.path(kept).read_bytes()))
    assert Verdict.BROKEN is said.verdict


def test_tables_as_expected_are_held_and_shown(home: Path, nodes: Cluster, tmp_path: Path) -> None:
    ports = begun(home, tmp_path, EXPECTATIONS)
    said = finding(ports, "expectations")
    assert (Verdict.HELD, "database: all 6 expectations are met") == (said.verdict, said.text)
    pages = [a for a in ports.artefacts.of(RUN) if a.media_type == "text/html"]
    assert {f"expectations-database-{t}.html" for t in ("orders", "copies", "stock", "accounts")} \
        == {a.name for a in pages}
    for page in pages:
        text = ports.artefacts.path(page).read_text()
        assert not [word for word in ("http:", "https:", "<script", "Traceback") if word in text]


@pytest.mark.parametrize(("defect", "told"), [
    ("INSERT INTO copies SELECT * FROM copies WHERE key = 'o1'", "copies.key is not unique: o1"),
    ("UPDATE copies SET item = 99 WHERE key = 'o1'", "copies.item leads to no stock.item: 99"),
    ("UPDATE accounts SET balance = balance + 1 WHERE id = 1",
     "accounts.balance adds up to 100001, 100000 expected"),
    ("DELETE FROM orders WHERE key = 'o1'", "orders has 0 rows, at least 1 expected"),
    ("DROP TABLE copies", 'relation "copies" does not exist'),
])
def test_a_table_that_is_not_as_expected_is_named(
    home: Path, nodes: Cluster, tmp_path: Path, defect: str, told: str
) -> None:
    ports = begun(home, tmp_path, EXPECTATIONS)
    do(nodes, defect)
    said = finding(ports, "expectations")
    expected = Verdict.UNKNOWN if "DROP" in defect else Verdict.BROKEN
    assert (expected, True) == (said.verdict, told in said.text), said.text


def test_the_password_is_nowhere_and_nobody_far_away_is_called(
    home: Path, nodes: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    called: list[object] = []
    watching = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            called.append(arguments[1] if event == "socket.connect" else arguments[0])

    sys.addaudithook(hook)
    ports = begun(home, tmp_path, EXPECTATIONS)
    do(nodes, "ALTER TABLE copies DROP COLUMN item")
    check(ports, RUN)
    watching = False
    assert [] == [c for c in called if "127.0.0.1" not in str(c)]
    secret = json.loads((home / "connections.json").read_text())["shop_db"]["password"]
    out = capfd.readouterr()
    written = [p.read_bytes() for p in (tmp_path / "artefacts").rglob("*") if p.is_file()]
    texts = [*written, out.out.encode(), out.err.encode(), caplog.text.encode()]
    assert not [text for text in texts if secret.encode() in text]
    assert not [text for text in texts if b"Traceback" in text]


def test_data_that_cannot_be_read_postpones_before_a_fault(
    home: Path, nodes: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(Postponed, match=r'tables: .*relation "nosuch" does not exist'):
        begun(home, tmp_path, TABLES.replace("table: stock", "table: nosuch"))
