"""Have witnesses sign the head of the log: they have seen it, and it has only grown."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from holdfast.errors import EvidenceError, Postponed
from holdfast.evidence.checkpoint import Checkpoint, checkpoint_of
from holdfast.evidence.note import Note, Signature, read_note, read_signature, signed_at
from holdfast.evidence.policy import Witness
from holdfast.evidence.trust import POLICY
from holdfast.evidence.witness import written
from holdfast.ports.bundle import Ports
from holdfast.steps.book import suite_of
from holdfast.steps.evidence import read_own_policy

_TURNS = 3
"""How often a witness is asked: what it saw last, the new head, and once more if it moved on."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Who has signed the head of how many records, and why others have not."""

    size: int
    names: frozenset[str]
    why_not: Mapping[str, str]
    is_met: bool
    wanted: str

    def __str__(self) -> str:
        missing = "; ".join(f"{name}: {why}" for name, why in self.why_not.items())
        signed = f"{len(self.names)} have signed" + (f" ({missing})" if missing else "")
        return f"{self.wanted} must sign the log's head, {signed}"


def cosign(ports: Ports) -> Cosigned | None:
    """Ask every witness of the policy at once; None where it names none.

    EvidenceError if the log is empty, or the policy cannot be read.
    """
    policy = read_own_policy(ports.settings)
    if policy is None or not policy.witnesses:
        return None
    ports.notary.sign_head()
    note = read_note(ports.log.head()[0])
    head = checkpoint_of(note)
    with ThreadPoolExecutor(len(policy.witnesses)) as pool:
        answers = dict(zip(policy.witnesses, pool.map(
            lambda witness: _ask(ports, witness, head, note), policy.witnesses.values()),
            strict=True))
    lines = {name: line for name, line in answers.items() if isinstance(line, Signature)}
    again = {(line.name, line.id) for line in lines.values()}
    before = [line for line in note.signatures if (line.name, line.id) not in again]
    whole = Note(note.text, [*before, *lines.values()])
    found = Cosigned(
        head.size, frozenset(lines),
        {name: why for name, why in answers.items() if isinstance(why, str)},
        policy.is_met(lines.keys()), policy.wanted(),
    )
    if lines:
        at = ports.clock.now().isoformat(timespec="milliseconds")
        ports.log.keep_head(str(whole), at, is_cosigned=found.is_met)
    return found


def show_newest(ports: Ports) -> str:
    """Have witnesses sign what they have not seen yet; say what is wrong, nothing if all is well.

    Never raises for a log or a policy that cannot be used: what was asked for before a fault is
    asked for there.
    """
    try:
        note, _ = ports.log.head()
        if not note or checkpoint_of(read_note(note)).size == seen_by_witnesses(ports):
            return ""
        found = cosign(ports)
    except EvidenceError as error:
        return str(error)
    return "" if found is None or found.is_met else str(found)


def show_until(ports: Ports, until: datetime) -> str:
    """Have witnesses look again where they last did so before a time that is over.

    Only then can a bundle show that nothing has come between. Says what is wrong, as `show_newest`.
    """
    try:
        _, at = ports.log.head(is_cosigned=True)
        if until > ports.clock.now() or (at and datetime.fromisoformat(at) >= until):
            return ""
        found = cosign(ports)
    except EvidenceError as error:
        return str(error)
    return "" if found is None or found.is_met else str(found)


def expect_cosigned(ports: Ports, run_id: str) -> None:
    """Postponed unless enough witnesses have signed the log with all that it has now."""
    if not suite_of(ports, run_id).compliance.cosigned:
        return
    found = cosign(ports)
    if found is None:
        raise Postponed(
            "the suite asks that witnesses see its start, and no policy names any: add them to "
            f"{ports.settings.trust / POLICY}")
    if not found.is_met:
        raise Postponed(f"the run's start is not seen by enough witnesses: {found}")


def seen_by_witnesses(ports: Ports) -> int:
    """How many records the newest head has that enough witnesses have signed."""
    note, _ = ports.log.head(is_cosigned=True)
    return checkpoint_of(read_note(note)).size if note else 0


def _ask(ports: Ports, witness: Witness, head: Checkpoint, note: Note) -> Signature | str:
    """Give its signature, or why there is none."""
    if not witness.url:
        return "the policy has no address for it"
    old = head.size
    answer = "it moves on"
    for _ in range(_TURNS):
        proof = ports.log.consistency(old, head.size) if 0 < old < head.size else ()
        status, answer = ports.witness(witness.url, written(old, proof, str(note)))
        if status == 200:
            return _checked(answer, witness, note)
        if status != 409:
            return f"it answers {status}: {answer.strip()[:200]}" if status else answer
        if not answer.strip().isdecimal() or int(answer) > head.size:
            return f"it has seen a longer log: {answer.strip()[:40]} records, this has {head.size}"
        old = int(answer)
    return answer


def _checked(answer: str, witness: Witness, note: Note) -> Signature | str:
    for line in answer.splitlines():
        try:
            found = read_signature(line)
            if signed_at(Note(note.text, [found]), witness.key) is not None:
                return found
        except EvidenceError:
            continue
    return "its answer is no signature of its key over this head"


