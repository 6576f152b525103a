"""Money set aside for faults: accounts, and postings between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

_SCALE = 1_000_000


class Account(StrEnum):
    """Where a day's money is. All accounts of a day together always hold nothing."""

    FREE = "free"  # below zero by what has been taken from the day
    RESERVED = "reserved"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount moved between two accounts, in millionths of the currency; never changed.

    `day` is a date in the budget's time zone: on which it was reserved, whenever it is spent.
    """

    day: str
    currency: str
    run_id: str
    experiment: str
    source: Account
    target: Account
    amount: int
    at: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run asks for: the worst case of each experiment, all of it or nothing.

    `limit` is the most that all runs together may take from the day.
    """

    run_id: str
    day: str
    currency: str
    limit: Decimal
    amounts: Mapping[str, Decimal]
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of what was set aside. `spent` above `reserved` is an overrun."""

    reserved: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    released: Decimal = Decimal(0)
    open: Decimal = Decimal(0)


def millionths(amount: Decimal) -> int:
    """An amount as a whole number; what is finer is rounded up."""
    return int((amount * _SCALE).to_integral_value(ROUND_CEILING))


def as_amount(count: int) -> Decimal:
    """Millionths as an amount, without needless zeros."""
    shown = f"{Decimal(count) / _SCALE:f}"
    return Decimal(shown.rstrip("0").rstrip(".") if "." in shown else shown)
