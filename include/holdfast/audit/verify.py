"""Verify a bundle as a command does: read trust and pin, check, keep the new pin, say it all."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.audit.asked import Asked
from holdfast.audit.check import Found, check_bundle
from holdfast.audit.opened import NotABundle, opened
from holdfast.audit.request import read_moment
from holdfast.errors import EvidenceError
from holdfast.evidence.checkpoint import Checkpoint, read_checkpoint
from holdfast.evidence.trust import POLICY, ROLES, Trust, read_trust


@dataclass(frozen=True, slots=True)
class Options:
    """What stands behind the command; paths are None where nothing was given."""

    trust: Path | None = None
    pin: Path | None = None
    period: str = ""
    require: Sequence[str] = ()
    bundle_age: timedelta | None = None
    control_age: timedelta | None = None


def verify_file(path: Path, options: Options, now: datetime) -> Found:
    """Check the bundle; a pin is written where all is well, and only moves forward.

    EvidenceError if trust or pin cannot be read, or the pin not be written.
    """
    trust = None if options.trust is None else read_folder(options.trust)
    asked = _asked(options, now)
    try:
        with opened(path) as bundle:
            found = check_bundle(bundle, trust, asked)
    except NotABundle as error:
        return Found([error.trouble])
    if options.pin is not None and found.head and found.exit_code in (0, 6):
        _keep(options.pin, found.head)
    return found


def read_folder(folder: Path) -> Trust:
    """Read a trust folder; EvidenceError with what is wrong."""
    try:
        return read_trust((folder / POLICY).read_bytes(), (folder / ROLES).read_bytes())
    except OSError as error:
        raise EvidenceError(
            f"the trust folder {folder} cannot be read ({error}): it holds '{POLICY}' and "
            f"'{ROLES}', made by `holdfast evidence trust`"
        ) from error


def said(found: Found, name: str) -> Iterator[str]:
    """Say it to a person, the result last."""
    for trouble in found.troubles:
        yield plain(str(trouble))
    for note in found.notes:
        yield plain(f"note: {note}")
    if not found.origin:
        yield f"FAILED {name}"
        return
    word = "OK" if found.exit_code == 0 else "FAILED"
    yield (
        f"{word} {plain(found.origin)} size {found.size}, {found.witnesses}, "
        f"{found.entries} entries, "
        f"{found.runs} runs, {found.artefacts} artefacts"
        + ("" if found.exit_code else ", report reproduced")
    )


def plain(text: str) -> str:
    """Show what could write other lines, or over them, on a reader's screen."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def as_json(found: Found, name: str) -> str:
    """Say it to a program; docs/evidence.md has the schema."""
    return json.dumps({
        "bundle": name, "ok": found.exit_code == 0, "exit_code": found.exit_code,
        "origin": found.origin, "log_size": found.size, "witnesses": found.witnesses,
        "entries": found.entries, "runs": found.runs, "artefacts": found.artefacts,
        "troubles": [{**asdict(t), "exit_code": t.exit_code} for t in found.troubles],
        "notes": list(found.notes),
    }, indent=1)


def _asked(options: Options, now: datetime) -> Asked:
    since, until = read_period(options.period)
    return Asked(
        now, _pin(options.pin), since, until, options.require, options.bundle_age,
        options.control_age,
    )


def read_period(text: str) -> tuple[datetime | None, datetime | None]:
    """Read `A..B`, where either may be left out; EvidenceError if it is no period."""
    if not text:
        return None, None
    first, dots, last = text.partition("..")
    if not dots:
        raise EvidenceError(f"'{text}' is no period: write 2026-01-01..2026-03-31")
    since, until = (read_moment(first) if first else None,
                    read_moment(last, is_end=True) if last else None)
    if since is not None and until is not None and until < since:
        raise EvidenceError(f"'{text}' ends before it begins")
    return since, until


def _keep(pin: Path, head: str) -> None:
    """Replace the pin whole: half of one would be none, and what was seen forgotten."""
    new = pin.with_name(f"{pin.name}.new")
    try:
        new.write_text(head, encoding="utf-8")
        new.replace(pin)
    except OSError as error:
        raise EvidenceError(f"all is well, but the pin {pin} cannot be written: {error}"
                            ) from error


def _pin(path: Path | None) -> Checkpoint | None:
    """The head that was seen before; None where nothing was."""
    try:
        return None if path is None else read_checkpoint(path.read_bytes())[0]
    except FileNotFoundError:
        return None
    except (OSError, EvidenceError) as error:
        raise EvidenceError(f"the pin {path} cannot be read: {error}") from error
