"""Check the head of a log: who signed it, whether the tree is its, what was seen before. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint
from holdfast.evidence.merkle import Complete, node_hash, root
from holdfast.evidence.note import Note, signed_at
from holdfast.evidence.policy import NONE, Policy
from holdfast.evidence.trouble import Trouble

AHEAD = 300
"""How far a witness's clock may be ahead of the reader's. Seconds."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the newest checkpoint says, what is wrong with it, and when witnesses saw it.

    `first_seen` is when enough of them had: by then every record was there. `last_seen` is since
    when no longer enough of them have. Both are seconds since 1970, None where nobody must.
    """

    checkpoint: Checkpoint | None
    troubles: Sequence[Trouble] = ()
    cosigners: Mapping[str, int] = field(default_factory=dict)
    first_seen: int | None = None
    last_seen: int | None = None


def check_head(content: str | bytes, policy: Policy, now: datetime) -> Head:
    """Check a checkpoint's signatures against who is believed."""
    try:
        checkpoint, note = read_checkpoint(content)
    except EvidenceError as error:
        wrong = _wrong("E_MALFORMED", "a signed checkpoint", str(error), "it was edited")
        return Head(None, [wrong])
    troubles = list(_by_log(checkpoint, note, policy))
    cosigners, forged = _cosigners(note, policy)
    late = {n: at for n, at in cosigners.items() if at > now.timestamp() + AHEAD}
    counted = {n: at for n, at in cosigners.items() if n not in late}
    troubles += forged
    troubles += [_wrong(
        "E_FUTURE_COSIGNATURE", f"at {now.isoformat(timespec='seconds')} or before",
        f"{at} s since 1970 by {name}", "a witness's clock is wrong, or it lies",
    ) for name, at in late.items()]
    if not policy.is_met(counted.keys()):
        found = f"{len(counted)}: {', '.join(counted) or 'none'}"
        troubles.append(_wrong(
            "E_QUORUM", policy.wanted(), found, "too few witnesses have seen this log"))
    return Head(checkpoint, troubles, counted, *_seen(counted, policy))


def check_tree(checkpoint: Checkpoint, leaves: Sequence[bytes]) -> Sequence[Trouble]:
    """Hold leaf hashes against the size and the root that were signed."""
    if len(leaves) != checkpoint.size:
        return [_wrong("E_TREE_SIZE", f"{checkpoint.size} records", f"{len(leaves)}",
                       "the log has lost records, or has some that nobody signed")]
    found = root(len(leaves), tree(leaves))
    if found != checkpoint.root:
        return [_wrong("E_TREE_ROOT", f"root {checkpoint.root.hex()[:16]}",
                       f"root {found.hex()[:16]}", "records are not those that were signed")]
    return []


def check_pin(pin: Checkpoint, now: Checkpoint, leaves: Sequence[bytes]) -> Sequence[Trouble]:
    """Hold the log against what its reader saw of it before."""
    if pin.origin != now.origin:
        return [_wrong("E_ORIGIN", pin.origin, now.origin, "the pin is of another log")]
    if pin.size > now.size:
        return [_wrong("E_LOG_TRUNCATED", f"{pin.size} records or more, as seen before",
                       f"{now.size}", "the newest records were cut off")]
    if len(leaves) >= pin.size and root(pin.size, tree(leaves)) != pin.root:
        return [_wrong("E_HISTORY_REWRITTEN", f"root {pin.root.hex()[:16]} at {pin.size}",
                       "another", "records that were seen before have been replaced")]
    return []


def tree(leaves: Sequence[bytes]) -> Complete:
    """Hash all whole subtrees over some leaves."""
    heights = [list(leaves)]
    while len(below := heights[-1]) > 1:
        heights.append([
            node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda height, number: heights[height][number]


def _seen(cosigners: Mapping[str, int], policy: Policy) -> tuple[int | None, int | None]:
    """One witness alone, whose clock or word is wrong, moves neither time."""
    if policy.quorum == NONE:
        return None, None
    times = sorted(cosigners.values())
    first = next((t for t in times if policy.is_met(
        {n for n, at in cosigners.items() if at <= t})), None)
    last = next((t for t in reversed(times) if policy.is_met(
        {n for n, at in cosigners.items() if at >= t})), None)
    return first, last


def _by_log(checkpoint: Checkpoint, note: Note, policy: Policy) -> Sequence[Trouble]:
    key = policy.logs.get(checkpoint.origin)
    if key is None:
        known = ", ".join(policy.logs) or "none"
        return [_wrong("E_ORIGIN", known, checkpoint.origin, "it is the head of another log")]
    try:
        if signed_at(note, key) is None:
            return [_wrong("E_UNTRUSTED_SIGNER", str(key), "no signature by it",
                           "the log's key has not signed its head")]
    except EvidenceError as error:
        return [_wrong("E_BAD_SIGNATURE", f"a signature by {key.name}", str(error),
                       "the head was changed after it was signed")]
    return []


def _cosigners(note: Note, policy: Policy) -> tuple[dict[str, int], list[Trouble]]:
    found, troubles = dict[str, int](), list[Trouble]()
    for name, witness in policy.witnesses.items():
        try:
            at = signed_at(note, witness.key)
        except EvidenceError as error:
            troubles.append(_wrong("E_BAD_SIGNATURE", f"a signature by witness {name}", str(error),
                                   "a witness has not signed this head"))
        else:
            if at is not None:
                found[name] = at
    return found, troubles


def _wrong(code: str, expected: str, found: str, meaning: str) -> Trouble:
    return Trouble(code, "checkpoint", expected, found, meaning)
