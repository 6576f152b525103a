"""What a consistency item must name, and how it may be misspelt (O1, R6)."""

import pytest

from holdfast.registry import Registry
from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

GOOD = "{checker: lost_writes, history: orders}"


def complaints(item: str) -> list[str]:
    changes = [
        (GOOD, item), (", recovery_point: 0", ""),
        ("link: {proxy", "database: {postgres: shop_db}\n    link: {proxy"),
        ("  histories:\n", "  histories:\n    alone: {file: work/alone.jsonl}\n")]
    known = suites.known(checkers=Registry("checkers", "CHECKER"))
    try:
        load_text(suites.text(*changes), "f", known)
    except SpecErrors as error:
        return [f"{e.message} ({e.hint})" if e.hint else e.message for e in error.errors]
    return []


@pytest.mark.parametrize("item", [
    GOOD,
    "{checker: bank, history: orders}",
    "{checker: set_full, history: orders}",
    "{checker: bank, history: alone}",
    "{checker: lost_writes, history: alone}",
    "{checker: list_append, history: alone, params: {model: snapshot-isolation}}",
    "{checker: cas_register, history: alone, parts: 8}",
    "{checker: bank, history: orders, params: {accounts: bank.accounts, closed: false}}",
    "{checker: tables, service: database, params: {table: t, key: [a], columns: [b]}}",
    "{checker: expectations, service: database, params: {tables: "
    "[{expect: rows, table: t, at_least: before}]}}",
])
def test_an_item_that_can_be_checked_is_accepted(item):
    assert [] == complaints(item)


@pytest.mark.parametrize(("item", "told"), [
    ("{checker: set_full}", ["set_full needs a history (history: its name)"]),
    ("{checker: list_append, history: alone, params: {modle: serializable}}",
     ["unknown word 'modle' (did you mean 'model'?)"]),
    ("{checker: list_append, history: alone, service: database}",
     ["list_append looks at a history, not at a service (leave service out)"]),
    ("{checker: list_append, history: alone, parts: 4}",
     ["list_append cannot judge one key at a time (leave parts out; these can: cas_register, "
      "counter, kv, lost_writes, mutex, register, set, set_full)"]),
    ("{checker: lost_writes, history: orders, parts: 4}",
     ["only a history that is judged by itself has parts (leave parts out)"]),
    ("{checker: set, history: alone, parts: 1}", ["'parts' is '1' (at least 2)"]),
    ("{checker: set, history: alone, parts: 65}", ["'parts' is '65' (at most 64)"]),
    ("{checker: bnak, history: orders}", ["unknown checker 'bnak' (did you mean 'bank'?)"]),
    ("{checker: bank, history: order}", ["unknown history 'order' (did you mean 'orders'?)"]),
    ("{checker: bank}", ["bank needs a history (history: its name)"]),
    ("{checker: lost_writes, history: orders, service: database}",
     ["lost_writes looks at a history, not at a service (leave service out)"]),
    ("{checker: lost_writes, history: orders, params: {closed: true}}",
     ["unknown word 'closed' (it takes none)"]),
    ("{checker: bank, history: orders, params: {acounts: a}}",
     ["unknown word 'acounts' (did you mean 'accounts'?)"]),
    ("{checker: bank, history: orders, params: {accounts: 'a; b'}}",
     ["'a; b' does not match ^([A-Za-z_][A-Za-z0-9_]{0,62}\\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$"]),
    ("{checker: tables, service: databse, params: {table: t, key: [a], columns: [b]}}",
     ["unknown service 'databse' (did you mean 'database'?)"]),
    ("{checker: tables, service: api, params: {table: t, key: [a], columns: [b]}}",
     ["service 'api' has no 'postgres' address (known: database)"]),
    ("{checker: tables, history: orders, params: {table: t, key: [a], columns: [b]}}",
     ["tables needs a service (service: its name)",
      "tables looks at a service, not at a history (leave history out)"]),
    ("{checker: tables, service: database, params: {table: t}}",
     ["'key' is missing", "'columns' is missing"]),
    ("{checker: expectations, service: database, params: {tables: "
     "[{expect: rows, table: t, atleast: 1}]}}",
     ["unknown word 'atleast' (did you mean 'at_least'?)"]),
    ("{checker: expectations, service: database, params: {tables: "
     "[{expect: uniqe, table: t, column: c}]}}",
     ["unknown 'expect' 'uniqe' (did you mean 'unique'?)"]),
    ("{checker: expectations, service: database, params: {tables: [{expect: rows, table: t}]}}",
     ["'tables' 1 is a mapping "
      "(rows, sum, range need at_least, at_most or equal; the others have no limit)"]),
])
def test_what_is_wrong_is_said_with_the_nearest_cure(item, told):
    assert told == complaints(item)


def test_only_a_check_of_a_history_counts_lost_writes():
    item = "{checker: tables, service: database, params: {table: t, key: [a], columns: [b]}}"
    services = ("link: {proxy", "database: {postgres: shop_db}\n    link: {proxy")
    known = suites.known(checkers=Registry("checkers", "CHECKER"))
    with pytest.raises(SpecErrors, match="nothing counts the lost writes"):
        load_text(suites.text((GOOD, item), services), "f", known)
    load_text(suites.text((GOOD, "{checker: bank, history: orders}"), services), "f", known)


def test_a_service_without_an_address_is_said_where_there_is_none():
    item = "{checker: tables, service: api, params: {table: t, key: [a], columns: [b]}}"
    known = suites.known(checkers=Registry("checkers", "CHECKER"))
    with pytest.raises(SpecErrors, match=r"has no 'postgres' address \(known: none\)"):
        load_text(suites.text((GOOD, item), (", recovery_point: 0", "")), "f", known)


@pytest.mark.parametrize(("history", "told"), [
    ("{file: x.jsonl, query: SELECT 1}", "'query' is nothing without 'postgres' "),
    ("{file: x.jsonl, postgres: shop_db}", "'postgres' is nothing without 'query' "),
])
def test_a_query_and_its_connection_come_together(history, told):
    with pytest.raises(SpecErrors, match=told):
        load_text(suites.text(("  histories:\n", f"  histories:\n    half: {history}\n")), "f",
                  suites.known())


def test_a_history_judged_by_itself_counts_no_lost_writes():
    known = suites.known(checkers=Registry("checkers", "CHECKER"))
    alone = "  histories:\n    alone: {file: work/alone.jsonl}\n"
    with pytest.raises(SpecErrors, match="nothing counts the lost writes"):
        load_text(suites.text((GOOD, "{checker: bank, history: alone}"),
                              ("  histories:\n", alone)), "f", known)


def test_a_model_that_nobody_knows_is_told_with_all_there_are():
    (told,) = complaints("{checker: list_append, history: alone, params: {model: seriable}}")
    assert told.startswith("unknown model 'seriable' (known: causal, ")
