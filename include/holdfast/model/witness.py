"""A witness: transactions that fit in no order, and why each comes before the next."""

from collections.abc import Sequence

from holdfast.model.quantities import Frozen


class Act(Frozen):
    """One transaction of a witness: `index` is its row in the history, `text` what it did."""

    name: str
    index: int
    process: int
    outcome: str
    text: str


class Reason(Frozen):
    """Why one transaction came before another: in a few letters, and in a sentence."""

    before: str
    after: str
    kind: str
    label: str
    text: str


class Witness(Frozen):
    """A cycle: each transaction comes before the next one, and the last before the first."""

    anomaly: str
    acts: Sequence[Act]
    reasons: Sequence[Reason]

    @property
    def sentence(self) -> str:
        """Tell the circle alone."""
        return "; ".join(f"{r.before} < {r.after} because {r.text}" for r in self.reasons)

    @property
    def text(self) -> str:
        """Tell it so that a person can follow."""
        lines = [f"{self.anomaly}:"]
        for act in self.acts:
            who = f"index {act.index}" + (f", process {act.process}" if act.process >= 0 else "")
            lines.append(f"  {act.name} ({who}, {act.outcome}): {act.text}")
        lines.append("")
        for reason in self.reasons:
            lines.append(f"  {reason.before} < {reason.after} because {reason.text}")
        return "\n".join([*lines, "  which closes a circle: there is no such order"])
