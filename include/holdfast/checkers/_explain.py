"""Find out which unsure transfers happened, from what they did to the balances.

Each account gives one equation: what came in, less what went out, is the change of its balance. An
account with one unsure transfer left decides that transfer; taking such accounts away one after the
other is linear and exact, and all there is to do as long as the transfers form no circle. Circles
are searched, within a budget counted in steps, so that the answer does not depend on the machine.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

BUDGET = 20_000


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money on its way from one account to another."""

    key: str
    source: str
    target: str
    amount: Decimal

    def effect_on(self, account: str) -> Decimal:
        """What it does to the balance of one of its two accounts."""
        return self.amount if account == self.target else -self.amount


@dataclass(frozen=True, slots=True)
class Explained:
    """Changes that no choice of transfers explains, and accounts the budget was too small for."""

    left: Mapping[str, Decimal]
    undecided: Sequence[str]


class _Spent(Exception):
    """The budget is used up."""


@dataclass(slots=True)
class _Puzzle:
    """Changes still to be explained, and the transfers not decided yet."""

    change: dict[str, Decimal]
    open: dict[str, list[Transfer]] = field(default_factory=dict)

    def copy(self) -> "_Puzzle":
        return _Puzzle(dict(self.change), {a: list(found) for a, found in self.open.items()})

    def decide(self, transfer: Transfer, *, happened: bool) -> None:
        for account in (transfer.source, transfer.target):
            self.open[account].remove(transfer)
            if happened:
                self.change[account] -= transfer.effect_on(account)

    def peel(self) -> None:
        """Decide every transfer that is the only one left of some account."""
        waiting = [account for account, found in self.open.items() if len(found) == 1]
        while waiting:
            account = waiting.pop()
            if len(self.open[account]) != 1:
                continue
            (transfer,) = self.open[account]
            self.decide(transfer, happened=self.change[account] == transfer.effect_on(account))
            waiting += [a for a in (transfer.source, transfer.target) if len(self.open[a]) == 1]

    def wrong(self) -> dict[str, Decimal]:
        """What the accounts without an open transfer still lack."""
        return {a: left for a, left in self.change.items() if left and not self.open.get(a)}


def explain(
    change: Mapping[str, Decimal], unsure: Collection[Transfer], budget: int = BUDGET
) -> Explained:
    """Choose those of the unsure transfers that together make the change."""
    puzzle = _Puzzle(dict(change))
    for transfer in unsure:
        if transfer.source != transfer.target and transfer.amount:
            for account in (transfer.source, transfer.target):
                puzzle.change.setdefault(account, Decimal(0))
                puzzle.open.setdefault(account, []).append(transfer)
    puzzle.peel()
    left, undecided, steps = puzzle.wrong(), [], [budget]
    for circle in _circles(puzzle):
        try:
            if not _search(circle, steps):
                left |= {a: change for a, change in circle.change.items() if change}
        except _Spent:
            undecided += sorted(circle.change)
    return Explained(left, undecided)


def _circles(puzzle: _Puzzle) -> list[_Puzzle]:
    """Take apart what is not connected."""
    found, seen = [], set[str]()
    for start in [a for a, transfers in puzzle.open.items() if transfers]:
        reached, waiting = set[str](), [start]
        while waiting:
            account = waiting.pop()
            if account not in reached | seen:
                reached.add(account)
                waiting += [end for t in puzzle.open[account] for end in (t.source, t.target)]
        if reached:
            seen |= reached
            change = {a: puzzle.change[a] for a in reached}
            found.append(_Puzzle(change, {a: list(puzzle.open[a]) for a in reached}))
    return found


def _search(puzzle: _Puzzle, steps: list[int]) -> bool:
    """Try a transfer both ways, then the next, until all is explained or nothing can be."""
    waiting = [puzzle]
    while waiting:
        tried = waiting.pop()
        steps[0] -= 1
        if steps[0] < 0:
            raise _Spent
        tried.peel()
        if tried.wrong() or not _is_possible(tried):
            continue
        unsettled = [account for account, found in tried.open.items() if found]
        if not unsettled:
            return True
        transfer = tried.open[min(unsettled, key=lambda a: len(tried.open[a]))][0]
        for happened in (False, True):
            branch = tried.copy()
            branch.decide(transfer, happened=happened)
            waiting.append(branch)
    return False


def _is_possible(puzzle: _Puzzle) -> bool:
    """Whether no account changed by more than its open transfers could do."""
    for account, found in puzzle.open.items():
        effects = [transfer.effect_on(account) for transfer in found]
        low, high = sum(e for e in effects if e < 0), sum(e for e in effects if e > 0)
        if not low <= puzzle.change[account] <= high:
            return False
    return True
