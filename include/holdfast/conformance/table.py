"""The published table: every death, how soon the fault was gone, and what was wrong."""

from collections import defaultdict
from collections.abc import Sequence

from holdfast.conformance.trial import Outcome


def markdown(outcomes: Sequence[Outcome]) -> str:
    """One line for each driver, party, moment and blow; what was wrong stands below."""
    wrong = [o for o in outcomes if o.problems]
    drivers = len({o.cell.driver for o in outcomes})
    lines = [
        f"{len(outcomes)} deaths of {drivers} drivers, {len(wrong)} with something left or wrong.",
        "", "| driver | who | when | blow | gone after | told as | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_line(outcome) for outcome in outcomes]
    for outcome in wrong:
        cell = outcome.cell
        lines += ["", f"**{cell.driver}, {cell.party}, {cell.moment}, {cell.blow}**: "
                  + "; ".join(outcome.problems)]
    return "\n".join(lines) + "\n"


def summary(outcomes: Sequence[Outcome]) -> str:
    """One line for each party and blow: how many, how soon at worst, how many were wrong."""
    groups = defaultdict[tuple[str, str], list[Outcome]](list)
    for outcome in outcomes:
        groups[outcome.cell.party, outcome.cell.blow].append(outcome)
    lines = ["| who | blow | deaths | gone after, worst | wrong |", "|---|---|---|---|---|"]
    for (party, blow), group in groups.items():
        worst = max((o.seconds for o in group if o.seconds is not None), default=None)
        wrong = sum(bool(o.problems) for o in group)
        lines.append(f"| {party} | {blow} | {len(group)} | {_seconds(worst)} | {wrong} |")
    return "\n".join(lines) + "\n"


def _line(outcome: Outcome) -> str:
    cell = outcome.cell
    told = outcome.ended.value if outcome.ended else "nothing"
    mark = "WRONG" if outcome.problems else "clean"
    return (f"| {cell.driver} | {cell.party} | {cell.moment} | {cell.blow} "
            f"| {_seconds(outcome.seconds)} | {told} | {mark} |")


def _seconds(value: float | None) -> str:
    return "not" if value is None else f"{max(0.0, value):.2f} s"
