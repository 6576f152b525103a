"""What the PostgreSQL faults do at a fail-over, on a real pair one for each test (R1 R6 F3)."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from holdfast.errors import FaultError
from holdfast.faults.postgres.kill_primary import KillPrimaryDriver
from holdfast.faults.postgres.pause_replay import PauseReplayDriver
from holdfast.model.fault import Recipe
from support.faults import Bench
from support.pair import Pair
from support.waiting import wait_for

pytestmark = pytest.mark.system
KILL, PAUSE = KillPrimaryDriver(), PauseReplayDriver()
MARK = "holdfast_l_0a1b"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.stop()


@pytest.fixture
def pair(bench: Bench) -> Pair:
    return bench.pair


def killed(bench: Bench) -> Recipe:
    recipe = KILL.arm(bench.fault("postgres.kill_primary", KILL.params), "L-kill")
    KILL.inject(recipe)
    return recipe


def paused(bench: Bench, receive: bool) -> Recipe:
    fault = bench.fault("postgres.pause_replay", PAUSE.params, receive=receive)
    recipe = PAUSE.arm(fault, "L-0a1B")
    PAUSE.inject(recipe)
    return recipe


def slot(pair: Pair) -> object:
    return pair.ask(pair.b, "SHOW primary_slot_name")


@pytest.mark.parametrize(("receive", "lost"), [
    pytest.param(False, 0, id="what-was-received-is-replayed-before-promotion"),
    pytest.param(True, 20, id="what-was-not-received-is-lost"),
])
def test_rows_lost_when_a_held_back_standby_is_promoted(
    receive: bool, lost: int, bench: Bench, pair: Pair
) -> None:
    recipe = paused(bench, receive)
    keys = [pair.write(pair.a) for _ in range(20)]
    assert not any(pair.has(pair.b, key) for key in keys)
    pair.ask(pair.a, "SELECT pg_switch_wal()")
    wait_for(lambda: received(pair) is not receive)
    killed(bench)
    pair.promote(pair.b)
    assert lost == sum(not pair.has(pair.b, key) for key in keys)
    with pytest.raises(FaultError, match="could not be mended: a") if receive else nullcontext():
        PAUSE.revert(recipe)


def test_with_receive_the_slot_is_named_after_the_lease_and_then_put_back(
    bench: Bench, pair: Pair
) -> None:
    recipe = paused(bench, receive=True)
    assert slot(pair) == MARK
    assert any(MARK in text for text in PAUSE.residue(recipe))
    PAUSE.revert(recipe)
    assert slot(pair) == "node_b"
    assert list(PAUSE.residue(recipe)) == []
    assert pair.replicates()


def test_a_mark_copied_to_another_node_is_cleaned_too(bench: Bench, pair: Pair) -> None:
    recipe = paused(bench, receive=True)
    pair.ask(pair.a, f"ALTER SYSTEM SET primary_slot_name = '{MARK}'")
    assert any("bench_db/a" in text for text in PAUSE.residue(recipe))
    PAUSE.revert(recipe)
    assert list(PAUSE.residue(recipe)) == []
    assert MARK not in (pair.a.folder / "postgresql.auto.conf").read_text()


def test_a_slot_that_somebody_else_has_set_since_stays(bench: Bench, pair: Pair) -> None:
    recipe = paused(bench, receive=True)
    pair.ask(pair.b, "ALTER SYSTEM SET primary_slot_name = 'theirs'")
    pair.ask(pair.b, "SELECT pg_reload_conf()")
    PAUSE.revert(recipe)
    assert slot(pair) == "theirs"


def test_a_standby_that_is_down_is_residue_until_it_was_looked_at(bench: Bench, pair: Pair) -> None:
    recipe = paused(bench, receive=True)
    pair.b.stop()
    with pytest.raises(FaultError, match="could not be mended: b"):
        PAUSE.revert(recipe)
    assert any("bench_db/b" in text for text in PAUSE.residue(recipe))
    pair.b.start()
    PAUSE.revert(recipe)
    assert list(PAUSE.residue(recipe)) == []


def test_a_dead_primary_rejoins_the_standby_that_was_promoted(bench: Bench, pair: Pair) -> None:
    recipe = killed(bench)
    with pytest.raises(psycopg.OperationalError):
        pair.ask(pair.a, "SELECT 1")
    pair.promote(pair.b)
    assert list(KILL.residue(recipe)) == ["0 of 1 standbys stream from bench_db/b"]
    KILL.revert(recipe)
    assert list(KILL.residue(recipe)) == []
    assert pair.primary() is pair.b
    assert pair.replicates()


def test_a_node_that_came_back_as_a_second_primary_is_wound_back(bench: Bench, pair: Pair) -> None:
    recipe = killed(bench)
    pair.promote(pair.b)
    (pair.a.folder / "postmaster.pid").unlink()
    pair.a.start()
    wait_for(lambda: pair.primary() is pair.a)
    assert list(KILL.residue(recipe)) == ["2 nodes of bench_db take writes, not one"]
    KILL.revert(recipe)
    assert list(KILL.residue(recipe)) == []
    assert pair.primary() is pair.b


def test_a_primary_without_a_standby_is_not_killed(bench: Bench, pair: Pair) -> None:
    pair.b.stop()
    with pytest.raises(FaultError, match=re.escape("bench_db/a: no standby is streaming")):
        killed(bench)


def test_a_postmaster_restarted_after_arm_is_not_killed(bench: Bench, pair: Pair) -> None:
    recipe = KILL.arm(bench.fault("postgres.kill_primary", KILL.params), "L-kill")
    pair.restart()
    with pytest.raises(FaultError, match="restarted after the fault was armed"):
        KILL.inject(recipe)
    assert pair.takes_writes()


def test_a_standby_whose_log_is_held_back_already_is_refused(bench: Bench, pair: Pair) -> None:
    pair.ask(pair.b, "ALTER SYSTEM SET primary_slot_name = 'holdfast_other'")
    pair.ask(pair.b, "SELECT pg_reload_conf()")
    wait_for(lambda: slot(pair) == "holdfast_other")
    with pytest.raises(FaultError, match="held back by another fault"):
        paused(bench, receive=True)


def received(pair: Pair) -> bool:
    goal = pair.ask(pair.a, "SELECT pg_current_wal_lsn()::text")
    return bool(pair.ask(pair.b, "SELECT pg_last_wal_receive_lsn() >= %s::pg_lsn", goal))
