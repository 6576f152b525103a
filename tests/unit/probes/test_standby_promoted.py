from datetime import timedelta

import pytest

from holdfast.clients.connections import Connection
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import FaultError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.probes import standby_promoted
from holdfast.probes.standby_promoted import PROBE

FAULT = Fault("postgres.kill_primary", "database", {"postgres": "shop_db"}, "/h", timedelta(1))
HIT = {"home": "/h", "connection": "shop_db", "node": "a"}


class Known(Cluster):
    def __init__(self, *writable: str) -> None:
        nodes = [{"name": n, "host": "h", "port": 1} for n in "ab"]
        super().__init__(Connection("shop_db", "postgres", extra={"nodes": nodes}))
        self._writable = writable

    def _in_recovery(self, node: Node) -> bool | None:
        return node.name not in self._writable


def observed(monkeypatch: pytest.MonkeyPatch, *writable: str, undo: object = None) -> Finding:
    monkeypatch.setattr(standby_promoted, "cluster", lambda _home, _id: Known(*writable))
    return PROBE.observe({}, "/h", FAULT, Recipe("L1", FAULT.type, HIT if undo is None else undo))  # type: ignore[arg-type]


@pytest.mark.parametrize(("writable", "verdict"), [
    pytest.param(["b"], Verdict.HELD, id="the-standby-took-over"),
    pytest.param(["a"], Verdict.BROKEN, id="the-one-that-was-hit-came-back"),
    pytest.param([], Verdict.BROKEN, id="nobody-took-over"),
    pytest.param(["a", "b"], Verdict.BROKEN, id="two-primaries"),
])
def test_only_one_other_primary_is_a_promotion(
    writable: list[str], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = observed(monkeypatch, *writable)
    assert (finding.name, finding.verdict) == ("standby_promoted", verdict)


@pytest.mark.parametrize("undo", [{}, {"home": "/h", "connection": "shop_db", "standby": "b"}])
def test_a_fault_that_hits_no_primary_tells_nothing(
    undo: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert observed(monkeypatch, "a", undo=undo).verdict is Verdict.UNKNOWN


def test_a_cluster_that_cannot_be_asked_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_home: str, _id: str) -> Cluster:
        raise FaultError("not allowed", target="shop_db")

    monkeypatch.setattr(standby_promoted, "cluster", refuse)
    finding = PROBE.observe({}, "/h", FAULT, Recipe("L1", FAULT.type, HIT))
    assert Finding("standby_promoted", Verdict.UNKNOWN, "shop_db: not allowed") == finding
