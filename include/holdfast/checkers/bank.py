"""Money is neither made nor lost: balances add up, and acknowledged transfers explain them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from holdfast.checkers._balances import BalanceOptions, judged
from holdfast.checkers._explain import explain
from holdfast.checkers._names import Column, Table, quoted
from holdfast.checkers._transfers import Transfers, money
from holdfast.errors import CheckError
from holdfast.history.columns import History
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Answers, Checked, Checker, Moment, Observed, first_of

ENOUGH = 10
"""Acknowledged transfers below which a clean result says nothing."""

Balances = Mapping[str, Decimal]


class BankParams(Frozen):
    """Where the balances are."""

    accounts: Table = Field("accounts", description="table with one row for each account")
    account: Column = Field("id", description="its column that names the account")
    balance: Column = Field(
        "balance", description="its column with the money, in the unit of the transfers' amount"
    )
    closed: bool = Field(True, description="the history holds every change of every balance")
    overdraft: bool = Field(False, description="a balance may be negative")


class Bank:
    """Judge transfers between accounts; the history's query reads back the keys of those booked.

    `wrong-total`: the sum of all balances was another than before. `negative-value`: a balance is.
    `lost`: acknowledged, not booked. `unexpected`: refused, yet booked. `unexplained`: what became
    of a balance fits neither the acknowledged transfers nor any choice of those nobody knows about.
    `disagreeing`: some choice fits, but another one than is booked.

    A history that reads all balances is judged by itself: each read must add up (`unexpected-key`,
    `nil-balance`, `wrong-total`, `negative-value`), and the last be explained (`unexplained`).
    """

    needs: Literal["history", "service"] = "history"
    params: type[Frozen] = BankParams
    options: type[Frozen] = BalanceOptions

    def asks(self, moment: Moment, params: Any) -> Mapping[str, str]:
        """All balances before and after, and their sum in between."""
        table, account, balance = map(quoted, (params.accounts, params.account, params.balance))
        if moment is Moment.DURING:
            return {"sum": f"SELECT coalesce(sum({balance}), 0)::text FROM {table}"}
        return {"balances": f"SELECT {account}::text, {balance}::text FROM {table}"}

    def check(self, seen: Observed, params: Any) -> Checked:
        """Judge; up to `allowed` acknowledged transfers may be lost."""
        if seen.before is None:
            raise CheckError("the balances before the first fault are not known")
        before, after = _balances(seen.before), _balances(seen.after)
        transfers = Transfers.sorted_out(seen.history, seen.final, seen.before)
        anomalies = {
            "wrong-total": _wrong_totals(before, after, seen.during),
            "negative-value": [] if params.overdraft else [a for a in after if after[a] < 0],
            "lost": [t.key for t in transfers.lost], "unexpected": transfers.unexpected,
            "duplicated": transfers.duplicated,
        }
        undecided: Sequence[str] = ()
        if params.closed:
            found, undecided = _unexplained(before, after, transfers)
            anomalies |= found
        counts = {name: len(found) for name, found in anomalies.items()} | {
            "accounts": len(after), "acknowledged": transfers.acknowledged,
            "unsure": len(transfers.unsure), "undecided": len(undecided),
            "looks": len(seen.during) + 2,
        }
        return _judged(counts, anomalies, seen.allowed)

    def judge(self, history: History, options: Any) -> Checked:
        """Judge a history by its own reads."""
        return judged(history, options)


def _balances(answers: Answers) -> Balances:
    return {str(account): money(balance) for account, balance in answers.rows["balances"]}


def _wrong_totals(before: Balances, after: Balances, during: Sequence[Answers]) -> list[str]:
    total = sum(before.values(), Decimal(0))
    looks = [(look.label, money(look.only("sum")[0])) for look in during]
    looks.append(("after all rounds", sum(after.values(), Decimal(0))))
    return [f"{label}: {found} instead of {total}" for label, found in looks if found != total]


def _unexplained(
    before: Balances, after: Balances, transfers: Transfers
) -> tuple[dict[str, list[str]], Sequence[str]]:
    """What the acknowledged and booked leave open, then any choice; and what nobody can decide."""
    accounts = {*before, *after}
    change = {a: after.get(a, Decimal(0)) - before.get(a, Decimal(0)) for a in accounts}
    certain, maybe = transfers.by_ledger()
    booked = explain(_without(change, certain), maybe)
    if not booked.left and not booked.undecided:
        return {"unexplained": [], "disagreeing": []}, ()
    certain, maybe = transfers.by_word()
    free = explain(_without(change, certain), maybe)
    disagreeing = {} if free.left or free.undecided else booked.left
    return (
        {"unexplained": _amounts(free.left), "disagreeing": _amounts(disagreeing)}, free.undecided
    )


def _without(change: Balances, certain: Sequence[Any]) -> Balances:
    """The change that is left when these transfers are taken off."""
    left = dict(change)
    for transfer in certain:
        for account in {transfer.source, transfer.target}:
            effect = transfer.effect_on(account) if transfer.source != transfer.target else 0
            left[account] = left.get(account, Decimal(0)) - effect
    return left


def _amounts(left: Balances) -> list[str]:
    return [f"account {account} by {left[account]:+}" for account in sorted(left)]


def _judged(counts: dict[str, int], anomalies: dict[str, list[str]], allowed: int) -> Checked:
    complaints = _complaints(anomalies, allowed)
    acknowledged, lost = counts["acknowledged"], counts["lost"]
    if complaints:
        return Checked("invalid", "; ".join(complaints), counts, anomalies)
    if acknowledged < ENOUGH:
        text = f"only {acknowledged} acknowledged transfers were seen; {ENOUGH} are needed to judge"
        return Checked("unknown", text, counts, anomalies)
    if counts["undecided"]:
        text = (f"{counts['unsure']} transfers of which nobody knows leave open whether the "
                f"balances of {counts['undecided']} accounts are right")
        return Checked("unknown", text, counts, anomalies)
    fate = f"{lost} of {acknowledged} acknowledged transfers are lost; {allowed} may be" \
        if lost else f"{acknowledged} acknowledged transfers are booked"
    text = f"{fate}, and {counts['accounts']} balances add up at {counts['looks']} looks"
    return Checked("valid", text, counts, anomalies)


_SAID = {
    "wrong-total": "the balances do not add up: {}", "negative-value": "negative balances: {}",
    "unexpected": "refused transfers are booked: {}",
    "duplicated": "transfers are booked more than once: {}",
    "unexplained": "no transfer explains what became of {}",
    "disagreeing": "what is booked does not explain what became of {}",
}


def _complaints(anomalies: Mapping[str, list[str]], allowed: int) -> list[str]:
    lost = anomalies["lost"]
    limit = f" ({allowed} may be)" if allowed else ""
    found = [f"{len(lost)} acknowledged transfers are not booked{limit}: {first_of(lost)}"] \
        if len(lost) > allowed else []
    return found + [
        said.format(first_of(anomalies[name])) for name, said in _SAID.items()
        if anomalies.get(name)
    ]


CHECKER: Checker = Bank()
