from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.clients.connections import Connection
from holdfast.clients.postgres import Cluster, Node
from holdfast.errors import TransientFaultError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.probes import corruption_detected
from holdfast.probes.corruption_detected import PROBE

UNDO = {"connection": "db", "node": "h", "block": 3}


class Counting(Cluster):
    """A node that has counted so many failures; None does not answer."""

    def __init__(self, failures: int | None) -> None:
        super().__init__(Connection("db", "postgres", "h", 1))
        self._failures = failures

    def ask(self, node: Node, question: str, *values: object) -> list[tuple[object, ...]]:
        if self._failures is None:
            raise TransientFaultError("no answer", target=self.named(node))
        return [(self._failures, 4.0)]


def observed(
    failures: int | None, monkeypatch: pytest.MonkeyPatch, undo: dict[str, object]
) -> Finding:
    monkeypatch.setattr(corruption_detected, "cluster", lambda *_: Counting(failures))
    fault = Fault("postgres.corrupt_page", "database", {}, ".", timedelta(1))
    return PROBE.observe({}, str(Path()), fault, Recipe("L1", fault.type, undo))


@pytest.mark.parametrize(("failures", "verdict", "text"), [
    pytest.param(2, Verdict.HELD, "db/h counts 2 failed checksums, the last 4 s ago", id="seen"),
    pytest.param(0, Verdict.BROKEN, "db/h counts no failed checksum", id="unseen"),
    pytest.param(None, Verdict.UNKNOWN, "db/h: no answer", id="down"),
])
def test_damage_must_be_counted(
    failures: int | None, verdict: Verdict, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3: replica corruption is noticed by the server itself."""
    finding = observed(failures, monkeypatch, dict(UNDO))
    assert (finding.verdict, finding.text) == (verdict, text)


def test_a_fault_without_a_page_has_none_to_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = observed(1, monkeypatch, {"connection": "db", "node": "h"})
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.text == "postgres.corrupt_page damages no page"
