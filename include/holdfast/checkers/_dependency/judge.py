"""Turn what was seen into a verdict about the level of isolation that was asked for."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator

from holdfast.checkers._dependency.cycles import Cycles
from holdfast.checkers._dependency.graph import Graph
from holdfast.checkers._dependency.levels import EMPTY, RuledOut, known, ruled_out
from holdfast.checkers._dependency.sights import Sights
from holdfast.checkers._dependency.txns import Txns
from holdfast.checkers._dependency.witness import witnesses
from holdfast.history.columns import FAIL, INFO, Kind
from holdfast.model.witness import Witness
from holdfast.ports.checkers import Checked

Model = Annotated[str, AfterValidator(known)]
"""A level of isolation, by any of its names."""

Outcome = Literal["valid", "invalid", "unknown"]


@dataclass(slots=True)
class Case:
    """All that was found about a history. `doubts` are reasons why `valid` cannot be said."""

    txns: Txns
    sights: Sights
    witnesses: list[Witness] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def add_cycles(self, graph: Graph, found: Cycles) -> None:
        """Take over the cycles of a graph, each kind with its witness."""
        for witness in witnesses(graph, found):
            self.add_witness(witness, found.counts[witness.anomaly])
        gone = ruled_out(self.sights.counts)
        for name in sorted(found.exist):
            if all(level in gone for level in ruled_out([name]).weakest):
                continue  # an anomaly that was named says as much
            self.sights.counts[name] = 1
            self.sights.told[name] = ["a cycle is there, of which none was written out"]
        self.limits += found.limits
        if graph.is_empty:
            self.sights.counts[EMPTY] = 1
            self.sights.told[EMPTY] = ["no transaction depends on another"]
            self.doubts.append("no transaction depends on another")

    def add_witness(self, witness: Witness, count: int) -> None:
        """Take over one anomaly that has a witness."""
        self.witnesses.append(witness)
        self.sights.counts[witness.anomaly] = count
        self.sights.told[witness.anomaly] = [witness.sentence]

    def is_broken(self, model: str) -> bool:
        """Whether what was found so far rules a level out."""
        return model in ruled_out(self.sights.counts)

    def judged(self, model: str) -> Checked:
        """Judge by the level that was asked for; anomalies that it allows are told all the same."""
        gone = ruled_out(self.sights.counts)
        details = {
            "model": model, "not": list(gone.weakest), "also_not": list(gone.also),
            "witnesses": [witness.model_dump(mode="json") for witness in self.witnesses],
            **({"limits": self.limits} if self.limits else {}),
        }
        outcome, text = self._outcome(model, gone)
        told = {name: tuple(self.sights.told[name]) for name in sorted(self.sights.counts)}
        return Checked(outcome, text, self._counts(), told, details=details)

    def _outcome(self, model: str, gone: RuledOut) -> tuple[Outcome, str]:
        if model in gone:
            against = [n for n in self.sights.counts if model in ruled_out([n])]
            return "invalid", f"not {model}: {', '.join(sorted(against))}"
        doubts = [*self.doubts, *self.limits]
        if doubts:
            return "unknown", f"whether {model} holds is not known: {'; '.join(doubts)}"
        allowed = sorted(self.sights.counts)
        text = f"nothing rules out {model} in {len(self.txns)} transactions"
        return "valid", text + (f"; it allows {', '.join(allowed)}" if allowed else "")

    def _counts(self) -> dict[str, int]:
        txns = self.txns
        ok = int(txns.is_ok.sum())
        return {
            "transactions": len(txns), "acknowledged": ok,
            "failed": int((txns.outcome == FAIL).sum()),
            "unsure": int((txns.outcome == INFO).sum()),
            "operations": len(txns.txn),
            "reads": int(((txns.kind == Kind.READ) & txns.is_ok[txns.txn]).sum()),
            "keys": len(txns.keys), **self.sights.counts,
        }


def doubts_of(txns: Txns) -> list[str]:
    """Say why there is too little to look at, if there is."""
    if not txns.is_ok.any():
        return ["no transaction was acknowledged"]
    if not ((txns.kind == Kind.READ) & txns.told & txns.is_ok[txns.txn]).any():
        return ["nothing was read"]
    return []
