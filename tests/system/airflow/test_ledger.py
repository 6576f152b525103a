"""Payments through a real Airflow: what holds is told, and so is what is lost or too weak (R6 X2).

Each can be run by itself.
"""

import re
from pathlib import Path

import pytest

from holdfast.model.witness import Witness
from holdfast.steps.histories import Asked as Judged
from holdfast.steps.histories import read
from support.finished import artefact, finished

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]


def history(lab, run, name):
    """The history that was kept, as whoever checks it later reads it."""
    kept = next(a for a in lab.ports.artefacts.of(run.id) if a.name == f"history-{name}.jsonl")
    return read(Judged(lab.ports.artefacts.path(kept)))


def left(lab, run):
    """Workloads of the run that are still there."""
    folder = lab.ports.workloads.history(run.id, "any").parent
    pids = [int(file.read_text().split()[0]) for file in folder.glob("*.pid")]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_ledger_is_held_and_nothing_is_lost(lab):
    """Four faults of the database; every transaction in one order, every order there."""
    code, said, run = finished(lab, "ledger")
    assert (0, "success") == (code, run.state()), said
    assert ["duration"] * 5 == [lease.ended for lease in run.leases]
    told = artefact(lab, run, "list_append-ledger.json")
    assert ("valid", {}) == (told["verdict"], told["anomalies"])
    assert {lease.experiment for lease in run.leases} == set(told["seen"]["faults"])
    assert all(seen["during"]["operations"] and seen["after"]["ok"]
               for seen in told["seen"]["faults"].values())
    assert "valid" == history(lab, run, "money").judge().outcome
    limits, whole = artefact(lab, run, "cas_register-limits.json"), history(lab, run, "limits")
    assert ("valid", whole.judge().counts) == (
        limits["verdict"], {n: c for n, c in limits["seen"].items() if n != "faults"})
    parts = [artefact(lab, run, f"cas_register-limits-part-{n}-of-2.json") for n in (1, 2)]
    assert limits["seen"]["keys"] == sum(len(part["keys"]) for part in parts) > 2
    assert [] == left(lab, run)


def test_ledger_async_is_broken_and_tells_the_recovery_point(lab):
    code, said, run = finished(lab, "ledger-async")
    assert (1, "failed") == (code, run.state()), said
    told = artefact(lab, run, "lost_writes-payments.json")
    point = told["details"]["recovery_point"]
    assert len(told["anomalies"]["lost"]) == point["rows"] > 10
    assert 0.5 < point["seconds"] < 15
    assert re.search(rf"recovery point: {point['rows']} rows, {point['seconds']:g} s", said), said
    again = history(lab, run, "payments").judge()
    assert set(told["anomalies"]["lost"]) == set(again.anomalies["lost"])
    assert [] == left(lab, run)


def test_ledger_weak_is_broken_and_its_witness_can_be_followed(lab):
    code, said, run = finished(lab, "ledger-weak")
    assert (1, "failed") == (code, run.state()), said
    updates = artefact(lab, run, "rw_register-balances.json")["anomalies"]
    assert any("and both then wrote" in place for place in updates["lost-update"]), updates
    told = artefact(lab, run, "list_append-ledger.json")
    assert "invalid" == told["verdict"]
    # lost updates are no circle, and have none
    witness = Witness.model_validate(told["details"]["witnesses"][0])
    assert witness.anomaly in told["anomalies"]
    assert "T1 < T2 because" in witness.text and len(witness.text) < 2000
    page = next(a for a in lab.ports.artefacts.of(run.id) if a.name == "report.html")
    assert witness.anomaly in lab.ports.artefacts.path(page).read_text()
    assert [] == left(lab, run)
