"""Money in a history: every read adds up, and acknowledged transfers explain the last one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic import Field

from holdfast.checkers._explain import Transfer, explain
from holdfast.checkers._history import complaint, ended, seen
from holdfast.checkers._transfers import money
from holdfast.errors import CheckError
from holdfast.history.columns import ATOMS, INFO, NIL, OK, History, Ints, Shape
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked

READ = "read"
_NAMES = (("from", "source"), ("to", "target"), ("amount",))
_FAULTS = ("unexpected-key", "nil-balance", "wrong-total", "negative-value")


class BalanceOptions(Frozen):
    """What the balances must be."""

    total: Decimal | None = Field(
        None, description="what they add up to; the first read's if unsaid"
    )
    accounts: tuple[str, ...] | None = Field(
        None, description="the accounts there are; the first read's if unsaid"
    )
    overdraft: bool = Field(False, description="a balance may be negative")


def judged(history: History, options: BalanceOptions) -> Checked:
    """Judge all reads of balances; of several faults of one read, the first is told."""
    begun = ended(history, OK, READ)
    done = history.pair[begun]
    told = history.shape[done] != Shape.NIL
    begun, done = begun[told], done[told]
    counts = seen(history) | {"reads": len(done)}
    if not len(done):
        return Checked("unknown", "no balance was read: nothing was observed", counts)
    if (history.shape[done] != Shape.MAP).any():
        raise CheckError("a read gives no mapping of accounts to balances")
    found = _faults(history, done, options)
    anomalies: dict[str, list[str]] = {name: [] for name in _FAULTS}
    worst: dict[str, tuple[Decimal, str]] = {}
    for fault in found:
        anomalies[fault.name].append(fault.text)
        worst[fault.name] = max(worst.get(fault.name, (Decimal(0), fault.text)),
                                (fault.size, fault.text), key=lambda one: one[0])
    anomalies["unexplained"], undecided = _unexplained(history, begun, done)
    counts |= {name: len(places) for name, places in anomalies.items()}
    counts["undecided"] = undecided
    if said := complaint(anomalies):
        return Checked("invalid", said, counts, anomalies, {n: t for n, (_, t) in worst.items()})
    return Checked("valid", f"the balances of all {len(done)} reads add up", counts, anomalies)


@dataclass(frozen=True, slots=True)
class _Fault:
    name: str
    text: str
    size: Decimal = Decimal(0)


def _faults(history: History, done: Ints, options: BalanceOptions) -> list[_Fault]:
    first = _balances(history, int(done[0]))
    total = options.total
    if total is None:
        total = sum((money(v) for v in first.values() if v is not None), Decimal(0))
    accounts = {*first} if options.accounts is None else {*options.accounts}
    wrong = []
    for row in sorted(_suspects(history, done, total, options)):
        fault = _fault(_balances(history, row), accounts, total, options)
        if fault is not None:
            text = f"{fault.text} (index {int(history.index[row])})"
            wrong.append(_Fault(fault.name, text, fault.size))
    return wrong


def _suspects(
    history: History, done: Ints, total: Decimal, options: BalanceOptions
) -> Sequence[int]:
    """Reads that are not clearly right: all at once, where money is in whole numbers."""
    pairs = (history.item_offsets[done + 1] - history.item_offsets[done]) // 2
    plain = options.accounts is None and (pairs == pairs[0]).all() and pairs[0] and \
        total == int(total) and abs(total) < ATOMS
    if not plain:
        return list(done.tolist())
    places = history.item_offsets[done][:, None] + np.arange(2 * int(pairs[0]))
    items = history.items[places]
    keys, values = items[:, 0::2], items[:, 1::2]
    small = (np.abs(values) < ATOMS >> 20).all(axis=1)  # sums of these do not overflow
    right = small & (values.sum(axis=1) == int(total)) & (
        np.sort(keys, axis=1) == np.sort(keys[0])).all(axis=1)
    if not options.overdraft:
        right &= (values >= 0).all(axis=1)
    return list(done[~right].tolist())


def _fault(
    balances: Mapping[str, Any], accounts: set[str], total: Decimal, options: BalanceOptions
) -> _Fault | None:
    if strange := sorted({*balances} - accounts):
        return _Fault(_FAULTS[0], f"account {strange[0]}")
    if empty := sorted(a for a, value in balances.items() if value is None):
        return _Fault(_FAULTS[1], f"account {empty[0]}")
    amounts = {account: money(value) for account, value in balances.items()}
    found = sum(amounts.values(), Decimal(0))
    if found != total:
        return _Fault(_FAULTS[2], f"{found} instead of {total}", abs(found - total))
    negative = [a for a in amounts if amounts[a] < 0]
    if negative and not options.overdraft:
        least = min(negative, key=lambda account: amounts[account])
        return _Fault(_FAULTS[3], f"{amounts[least]} on account {least}", -amounts[least])
    return None


def _unexplained(history: History, begun: Ints, done: Ints) -> tuple[list[str], int]:
    """What transfers do not explain, if all came between the first read and the last one."""
    sure, unsure = (ended(history, outcome, "transfer") for outcome in (OK, INFO))
    tried = history.invocations
    tried = tried[history.are("transfer")[tried]]
    if not len(tried) or done[0] > tried[0] or (history.pair[sure] > begun[-1]).any():
        return [], 0
    before, after = (_balances(history, int(row)) for row in (done[0], done[-1]))
    if None in (*before.values(), *after.values()):
        return [], 0
    change = {a: money(after.get(a, 0)) - money(before.get(a, 0)) for a in {*before, *after}}
    for transfer in (_transfer(history, row) for row in sure.tolist()):
        if transfer.source != transfer.target:
            for account in (transfer.source, transfer.target):
                change[account] = change.get(account, Decimal(0)) - transfer.effect_on(account)
    found = explain(change, [_transfer(history, row) for row in unsure.tolist()])
    left = [f"account {account} by {found.left[account]:+}" for account in sorted(found.left)]
    return left, len(found.undecided)


def _transfer(history: History, row: int) -> Transfer:
    value = _balances(history, row) if history.shape[row] == Shape.MAP else {}
    parts = [next((value[name] for name in names if value.get(name) is not None), None)
             for names in _NAMES]
    if None in parts:
        raise CheckError(f"index {int(history.index[row])} is no transfer: "
                         "its value must be a mapping with from, to and amount")
    return Transfer(str(row), _name(parts[0]), _name(parts[1]), money(parts[2]))


def _balances(history: History, row: int) -> dict[str, Any]:
    """A mapping by the names of its keys; nothing is None."""
    told = history.list_of(row).tolist()
    return {_name(history.atoms.text(key)): None if code == NIL else history.atoms.value(code)
            for key, code in zip(told[::2], told[1::2], strict=True)}


def _name(text: object) -> str:
    """An account by its name, whether a keyword or a text."""
    return str(text).strip(':"')
