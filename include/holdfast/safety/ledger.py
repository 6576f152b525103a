"""The arithmetic of the ledger: what to post so that no day is overdrawn. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from holdfast.errors import Postponed
from holdfast.model.ledger import Account, Balance, Claim, Posting, as_amount, millionths

_MOST = 10**18
"""Millionths that one posting can hold in every store; no budget allows so much."""
_Place = tuple[str, str, str, str]  # day, currency, run and experiment


def reserving(claim: Claim, own: Sequence[Posting], gone: int, at: str) -> list[Posting]:
    """Set aside what a run asks for; Postponed, with what is left, if the day has not enough.

    `own` is all that was posted for the run, `gone` what the day's runs have taken, in millionths.
    What the run still holds counts: asking again for the same posts nothing, and what it does not
    ask for is given back.
    """
    wanted = {
        (claim.day, claim.currency, claim.run_id, name): millionths(amount)
        for name, amount in claim.amounts.items()
    }
    held = _open(own)
    moves = {place: wanted.get(place, 0) - held.get(place, 0) for place in {**held, **wanted}}
    more = sum(count for place, count in moves.items() if place[:2] == (claim.day, claim.currency))
    left = max(0, millionths(claim.limit) - gone)
    if more > left:
        raise Postponed(_too_little(claim, left))
    return [_move(place, count, at) for place, count in moves.items() if count]


def settling(there: Iterable[Posting], costs: Mapping[str, Decimal], at: str) -> list[Posting]:
    """Close a run's account: spend what each experiment cost, give back the rest.

    One without a cost is charged all that it holds: what is not known is not free. What was spent
    beyond the reservation is booked too, as far as a posting can hold it.
    """
    postings: list[Posting] = []
    for place, count in _open(there).items():
        cost = min(millionths(costs[place[3]]), _MOST) if place[3] in costs else count
        for source, target, amount in (
            (Account.RESERVED, Account.SPENT, min(cost, count)),
            (Account.RESERVED, Account.FREE, max(0, count - cost)),
            (Account.FREE, Account.SPENT, max(0, cost - count)),
        ):
            if amount:
                postings.append(Posting(*place, source, target, amount, at))
    return postings


def taken(there: Iterable[Posting], day: str, currency: str) -> int:
    """Millionths that are reserved or spent on a day."""
    own = [p for p in there if (p.day, p.currency) == (day, currency)]
    out = sum(p.amount for p in own if p.source is Account.FREE)
    return out - sum(p.amount for p in own if p.target is Account.FREE)


def balance(there: Iterable[Posting]) -> Balance:
    """What these postings come to."""
    moved: dict[tuple[Account, Account], int] = defaultdict(int)
    for posting in there:
        moved[posting.source, posting.target] += posting.amount
    reserved = moved[Account.FREE, Account.RESERVED]
    kept = moved[Account.RESERVED, Account.SPENT]
    released = moved[Account.RESERVED, Account.FREE]
    spent = kept + moved[Account.FREE, Account.SPENT]
    return Balance(*map(as_amount, (reserved, spent, released, reserved - kept - released)))


def by_experiment(there: Iterable[Posting]) -> dict[str, Balance]:
    """The balance of each experiment of one run."""
    own: dict[str, list[Posting]] = defaultdict(list)
    for posting in there:
        own[posting.experiment].append(posting)
    return {name: balance(postings) for name, postings in own.items()}


def _open(there: Iterable[Posting]) -> dict[_Place, int]:
    """Millionths still set aside, by place."""
    held: dict[_Place, int] = defaultdict(int)
    for p in there:
        place = (p.day, p.currency, p.run_id, p.experiment)
        held[place] += p.amount * (p.target is Account.RESERVED)
        held[place] -= p.amount * (p.source is Account.RESERVED)
    return {place: count for place, count in held.items() if count}


def _move(place: _Place, count: int, at: str) -> Posting:
    if count > 0:
        return Posting(*place, Account.FREE, Account.RESERVED, count, at)
    return Posting(*place, Account.RESERVED, Account.FREE, -count, at)


def _too_little(claim: Claim, left: int) -> str:
    asked = sum(claim.amounts.values(), Decimal(0))
    return (f"the budget of {claim.day} ({claim.time_zone}) has {as_amount(left)} of "
            f"{claim.limit} {claim.currency} left, and this run may cost {asked:f}")
