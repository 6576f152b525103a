"""The transfers of a history, sorted by what is known of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from holdfast.checkers._explain import Transfer
from holdfast.errors import CheckError
from holdfast.model.operation import Operation
from holdfast.ports.checkers import Answers


def money(value: object) -> Decimal:
    """An amount, exactly as it is written; CheckError if it is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise CheckError(f"'{value}' is no amount of money")
    return amount


@dataclass(frozen=True, slots=True)
class Transfers:
    """Transfers that may have changed a balance since the first look at them.

    `early` ones were under way at that look: their effect may be in it already.
    """

    certain: list[Transfer] = field(default_factory=list)  # acknowledged and booked
    lost: list[Transfer] = field(default_factory=list)  # acknowledged, not booked
    unsure: list[Transfer] = field(default_factory=list)  # nobody knows
    early: set[str] = field(default_factory=set)
    booked: set[str] = field(default_factory=set)
    unexpected: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)

    @classmethod
    def sorted_out(
        cls, history: Sequence[Operation], final: Sequence[object], before: Answers
    ) -> "Transfers":
        """Sort a history by the first look at the balances and the keys booked at the last."""
        times = Counter(str(key) for key in final)
        found = cls(booked=set(times))
        tried = {o.key for o in history if o.outcome != "fail"}
        for operation in history:
            if operation.outcome == "fail":
                if operation.key in times and operation.key not in tried:
                    found.unexpected.append(operation.key)
            elif operation.outcome == "info" or (operation.completed or 0.0) > before.begun:
                found._sort(operation, before)
        found.duplicated.extend(key for key in tried if times[key] > 1)
        return found

    @property
    def acknowledged(self) -> int:
        """How many were acknowledged."""
        return len(self.certain) + len(self.lost)

    def by_ledger(self) -> tuple[list[Transfer], list[Transfer]]:
        """Those that count if what is booked is right, and those that may be in the first look."""
        booked = [t for t in (*self.certain, *self.unsure) if t.key in self.booked]
        return ([t for t in booked if t.key not in self.early],
                [t for t in booked if t.key in self.early])

    def by_word(self) -> tuple[list[Transfer], list[Transfer]]:
        """Those that count for sure, and those that may or may not."""
        certain = [t for t in self.certain if t.key not in self.early]
        early = [t for t in self.certain if t.key in self.early]
        return certain, [*early, *self.unsure, *self.lost]

    def _sort(self, operation: Operation, before: Answers) -> None:
        transfer = _transfer(operation)
        if operation.outcome == "info":
            self.unsure.append(transfer)
        elif transfer.key in self.booked:
            self.certain.append(transfer)
        else:
            self.lost.append(transfer)
        if operation.invoked < before.ended:
            self.early.add(transfer.key)


def _transfer(operation: Operation) -> Transfer:
    value = operation.value
    try:
        if not isinstance(value, Mapping):
            raise KeyError("a mapping")
        source, target = str(value["source"]), str(value["target"])
        return Transfer(operation.key, source, target, money(value["amount"]))
    except KeyError as error:
        raise CheckError(
            f"operation {operation.index} is no transfer, it lacks {error.args[0]}; its value "
            "must be a mapping with key, source, target and amount"
        ) from error
