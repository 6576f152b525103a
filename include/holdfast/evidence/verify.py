"""Check the log of a deployment, a run's part of it, and the files it speaks of. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from holdfast.evidence.head import Head, check_tree
from holdfast.evidence.merkle import leaf_hash
from holdfast.evidence.records import check_records
from holdfast.evidence.roles import Roles
from holdfast.evidence.story import check_story
from holdfast.evidence.trouble import Injection, Trouble, exit_code
from holdfast.model.record import Record, Statement
from holdfast.model.run import Run, RunState


@dataclass(frozen=True, slots=True)
class Checked:
    """What `verify` found: every trouble, how much was looked at, what else is worth a note."""

    troubles: Sequence[Trouble]
    log_size: int
    records: int
    artefacts: int
    notes: Sequence[str] = ()
    standing: str = ""

    @property
    def exit_code(self) -> int:
        """0 if all is well, else that of the gravest trouble."""
        return exit_code(self.troubles)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to check of a run: the whole log, its head, and what others saw of the run.

    `digest_of` gives the SHA-256 in hex of an artefact as it is now, None if it is not there;
    `injected` is when faults began, by their journals.
    """

    log: Sequence[Record]
    head: Head
    digest_of: Callable[[str], str | None]
    injected: Sequence[Injection] = ()


def verify(evidence: Evidence, run_id: str, roles: Roles) -> Checked:
    """Check the whole log, record by record and as a tree, then what it says about one run."""
    checked = check_records(evidence.log, roles)
    own = {i: s for i, s in checked.statements.items() if _is_of(s, run_id)}
    story = check_story(own, run_id, evidence.injected)
    files = check_files(story.files, evidence.digest_of)
    troubles = [*checked.troubles, *story.troubles, *files, *evidence.head.troubles,
                *_tree(evidence)]
    return Checked(
        troubles, len(evidence.log), len(own), len(story.files), story.notes, story.standing)


def check_files(
    files: Mapping[str, str], digest_of: Callable[[str], str | None]
) -> Sequence[Trouble]:
    """Hold files against the digests that were signed for them."""
    return [t for name, wanted in files.items() if (t := _file(name, wanted, digest_of))]


def _tree(evidence: Evidence) -> Sequence[Trouble]:
    if evidence.head.checkpoint is None:
        return []
    envelopes = [r.envelope for r in evidence.log]
    leaves = [leaf_hash(e) for e in envelopes if isinstance(e, bytes)]
    return check_tree(evidence.head.checkpoint, leaves)


def compared(checked: Checked, run_id: str, run: Run | None) -> Checked:
    """Hold the books' row of the run against its latest signed result."""
    if not checked.records:
        return checked
    signed = checked.standing
    if signed and run is not None and run.state is RunState.STARTED and run.verdict is None:
        note = f"the books have no verdict yet, the latest signed result says {signed}"
        return replace(checked, notes=[*checked.notes, note])
    wrong = _unlike_the_books(signed, run_id, run)
    return checked if wrong is None else replace(checked, troubles=[*checked.troubles, wrong])


def _unlike_the_books(signed: str, run_id: str, run: Run | None) -> Trouble | None:
    if run is None:
        return Trouble("E_VERDICT", run_id, "the run in the books", "none", "its row is gone")
    if signed and run.standing != signed:
        return Trouble(
            "E_VERDICT", run_id, f"{signed}, as signed", run.standing,
            "the books tell another verdict than the latest signed result",
        )
    if not signed and run.verdict is not None:
        return Trouble(
            "E_NO_RESULT", run_id, f"a signed result for the verdict {run.standing}", "none",
            "the books tell a verdict that nobody signed",
        )
    return None


def _is_of(statement: Statement, run_id: str) -> bool:
    log = statement.predicate.get("log")
    return isinstance(log, Mapping) and log.get("run_id") == run_id


def _file(name: str, wanted: str, digest_of: Callable[[str], str | None]) -> Trouble | None:
    found = digest_of(name)
    if found is None:
        return Trouble(
            "E_ARTEFACT_MISSING", name, f"sha256:{wanted[:16]}", "no such file",
            "a file of the run is gone",
        )
    if found != wanted:
        return Trouble(
            "E_ARTEFACT_MISMATCH", name, f"sha256:{wanted[:16]}", f"sha256:{found[:16]}",
            "the file is not the one that was signed",
        )
    return None
