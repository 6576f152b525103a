"""R6: what was there before the first fault, and after each, is kept for the check at the end."""

import json

import pytest

from holdfast.clients.rows import Look
from holdfast.errors import CheckError, FaultError, Postponed, TransientFaultError
from holdfast.model.run import EntryKind
from holdfast.model.verdict import Verdict
from holdfast.ports.checkers import Answers
from holdfast.steps import items
from holdfast.steps.book import findings
from holdfast.steps.check import check
from holdfast.steps.snapshot import before_of, during_of, snapshot
from support.after import ended, found
from support.data import FakeDatabase
from support.runs import RUN, planned

ITEM = "{checker: lost_writes, history: orders}"
BANK = "{checker: bank, history: orders, params: {accounts: a}}"
TABLES = "{checker: tables, service: database, params: {table: t, key: [k], columns: [c]}}"
EXPECTED = ("{checker: expectations, service: database, params: {tables: ["
            "{expect: rows, table: orders, at_least: before}, "
            "{expect: unique, table: orders, column: key}]}}")
BALANCES = 'SELECT "id"::text'
ROWS = 'SELECT "k"::text'
COUNT = 'SELECT (count(*))'
WORLD = {BALANCES: [("1", "100"), ("2", "50")], "SELECT coalesce(sum": [("150",)],
         ROWS: [("x", "1"), ("y", None)], COUNT: [(2,)], "SELECT key": []}


def suite(*more):
    """Changes that make the suite check these items."""
    services = ("link: {proxy", "database: {postgres: shop_db}\n    link: {proxy")
    return services, (ITEM, "\n  - ".join(more)), (", recovery_point: 0", "")


def entries(ports, experiment=""):
    return {e.name: e.data for e in ports.books.read(RUN, EntryKind.SNAPSHOT)
            if e.experiment == experiment}


def test_all_rows_before_are_an_artefact_and_figures_are_in_the_book(tmp_path):
    ports = planned(tmp_path, *suite(BANK, EXPECTED))
    snapshot(ports, RUN, looking=FakeDatabase(WORLD).looking)
    kept = entries(ports)
    assert ({"balances": 2}, {}) == (kept["bank-orders"]["rows"], kept["bank-orders"]["figures"])
    assert {"rows orders": [2]} == kept["expectations-database"]["figures"]
    assert ["bank-orders-before.jsonl.gz", "expectations-database-before.jsonl.gz"] == [
        a.name for a in ports.artefacts.of(RUN)]


def test_what_was_kept_is_read_again_as_often_as_one_likes(tmp_path):
    ports = planned(tmp_path, *suite(TABLES))
    snapshot(ports, RUN, looking=FakeDatabase(WORLD).looking)
    rows = before_of(ports, RUN, "tables-database").rows["rows"]
    assert [[["x", "1"], ["y", None]]] * 2 == [list(rows), list(rows)]


def test_the_same_data_gives_the_same_bytes(tmp_path):
    ports = planned(tmp_path, *suite(TABLES))
    digests = set()
    for _ in range(2):
        snapshot(ports, RUN, looking=FakeDatabase(WORLD).looking)
        digests |= {a.digest for a in ports.artefacts.of(RUN)}
    assert 1 == len(digests)


def test_after_a_fault_the_figures_go_into_the_book(tmp_path):
    ports = planned(tmp_path, *suite(BANK, TABLES))
    snapshot(ports, RUN, "first", FakeDatabase(WORLD).looking)
    (look,) = during_of(ports, RUN, "bank-orders")
    assert ({"sum": [["150"]]}, "after first") == (look.rows, look.label)
    assert ["bank-orders"] == list(entries(ports, "first"))


def test_what_cannot_be_read_before_the_first_fault_postpones_the_run(tmp_path):
    ports = planned(tmp_path, *suite(BANK, TABLES))
    broken = WORLD | {BALANCES: FaultError("no table a"), ROWS: CheckError("too slow")}
    with pytest.raises(Postponed, match="bank-orders: no table a; tables-database: too slow"):
        snapshot(ports, RUN, looking=FakeDatabase(broken).looking)


def test_what_cannot_be_read_after_a_fault_is_written_down_and_the_run_goes_on(tmp_path):
    ports = planned(tmp_path, *suite(BANK))
    broken = {"SELECT coalesce": FaultError("no primary")}
    snapshot(ports, RUN, "first", FakeDatabase(broken).looking)
    assert {"bank-orders": {"error": "no primary"}} == entries(ports, "first")
    assert [] == during_of(ports, RUN, "bank-orders")


def test_nobody_looked_is_told_from_nothing_was_there(tmp_path):
    ports = planned(tmp_path, *suite(TABLES))
    assert before_of(ports, RUN, "tables-database") is None
    snapshot(ports, RUN, looking=FakeDatabase(WORLD | {ROWS: []}).looking)
    assert [] == list(before_of(ports, RUN, "tables-database").rows["rows"])


def test_two_items_of_a_kind_are_kept_apart(tmp_path):
    ports = planned(tmp_path, *suite(TABLES, TABLES.replace("[k]", "[z]")))
    world = FakeDatabase(WORLD | {'SELECT "z"::text': [("z", "9")]})
    snapshot(ports, RUN, looking=world.looking)
    assert {"tables-database", "tables-database-2"} == set(entries(ports))
    assert [["z", "9"]] == list(before_of(ports, RUN, "tables-database-2").rows["rows"])


def checked(tmp_path, *more, after=WORLD, missed=(), kept=True):
    ports = ended(tmp_path, *suite(*more))
    if kept:
        snapshot(ports, RUN, looking=FakeDatabase(WORLD).looking)
    check(ports, RUN, FakeDatabase(after).access(*missed))
    return ports


def test_a_row_that_changed_is_broken_and_kept_in_full(tmp_path):
    ports = checked(tmp_path, TABLES, after=WORLD | {ROWS: [("x", "2"), ("y", None)]})
    finding = found(ports, "tables")
    assert (Verdict.BROKEN, 1) == (finding.verdict, finding.measured["changed"])
    (kept,) = [a for a in ports.artefacts.of(RUN) if a.name == "tables-database.json"]
    assert {"changed": ["x (c 1 to 2)"]} == json.loads(ports.artefacts.path(kept).read_bytes())


def test_expectations_leave_their_pages(tmp_path):
    ports = checked(tmp_path, EXPECTED)
    assert Verdict.HELD is found(ports, "expectations").verdict
    assert "expectations-database-orders.html" in [a.name for a in ports.artefacts.of(RUN)]


def test_an_expectation_that_is_not_met_names_the_rows(tmp_path):
    doubled = WORLD | {'SELECT "key"::text': [("k1",)]}
    ports = checked(tmp_path, EXPECTED, after=doubled, missed=("unique",))
    assert "database: orders.key is not unique: k1" == found(ports, "expectations").text


@pytest.mark.parametrize("item", [BANK, TABLES, EXPECTED])
def test_without_a_look_before_the_check_is_unknown(tmp_path, item):
    name = item[10:].partition(",")[0]
    finding = found(checked(tmp_path, item, kept=False), name)
    assert (Verdict.UNKNOWN, True) == (finding.verdict, "before the first fault" in finding.text)


def test_doubt_about_tables_is_no_doubt_about_lost_writes(tmp_path):
    services, _, _ = suite()
    ports = ended(tmp_path, services, (ITEM, f"{ITEM}\n  - {TABLES}"))
    keys = [(f"k{round(1000000 + n * 100)}",) for n in range(400)]
    check(ports, RUN, FakeDatabase(WORLD | {"SELECT key": keys}).access())
    named = {(f.name, f.experiment): f.verdict for f in findings(ports, RUN)}
    assert (Verdict.UNKNOWN, Verdict.HELD) == (
        named["tables-database", ""], named["recovery_point", "first"])


def test_a_write_acknowledged_after_the_last_look_is_not_missed(tmp_path):
    """The load goes on: what ends while the data is read is not expected there."""
    ports = ended(tmp_path)

    def looking(ports, connection_id, use):
        begun = 1020.0  # half of the history was acknowledged later
        keys = [(f"k{round(1000000 + n * 100)}",) for n in range(200)]
        return use(Look(begun, 1040.0, lambda query: iter(keys)))

    check(ports, RUN, items.Access(looking))
    finding = found(ports, "lost_writes")
    assert (Verdict.HELD, 0) == (finding.verdict, finding.measured["lost"])
    assert finding.measured["unsure"] >= 200


def test_an_item_that_no_longer_fits_is_unknown(tmp_path):
    ports = checked(tmp_path, TABLES)
    suite_entry = ports.books.read(RUN, EntryKind.SUITE)[-1].data["suite"]
    suite_entry["consistency"][0]["params"] = {"table": 3}
    check(ports, RUN, FakeDatabase(WORLD).access())
    assert "consistency.0.params: table: Input should be a valid string" in found(
        ports, "tables").text
    suite_entry["consistency"][0] = {"checker": "tables", "history": "orders"}
    check(ports, RUN, FakeDatabase(WORLD).access())
    assert "there is no service 'orders' to look at" in found(ports, "tables").text


def test_a_primary_is_waited_for_but_not_for_ever(tmp_path, monkeypatch):
    ports = planned(tmp_path)
    (tmp_path / "connections.json").write_text('{"shop_db": {"host": "127.0.0.1", "port": 1}}')
    (tmp_path / "connections.json").chmod(0o600)
    with pytest.raises(TransientFaultError, match="there must be one primary"):
        items.looked(ports, "shop_db", lambda look: None)
    assert 15 <= ports.clock.passed < 17


def test_figures_have_one_row():
    with pytest.raises(ValueError, match="too many values"):
        Answers("now", 1, 2, {"q": [[1], [2]]}).only("q")
