"""The audit report as one page of HTML, without anything from elsewhere; PDF is made from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files

from holdfast.audit.request import filters
from holdfast.audit.runs import RunTold, verdict_of
from holdfast.audit.told import Told
from holdfast.evidence.late import late_of
from holdfast.model.control import Standing, State
from holdfast.model.record import Statement

DISCLAIMER = (
    "This report supports evidence for controls. It does not say that any of them is met: that is "
    "for people to judge. The mapping of controls is one reading, no legal opinion."
)
_NOT_PROVEN = (
    "That what the target's own metrics and tables said was true: a lie at the source is signed "
    "as it was told.",
    "That every fault that should have been tried was: only what was run is here. A run that was "
    "begun and then hidden shows as a start without a result.",
    "When exactly a record was made: times are the deployment's own, and those of its witnesses "
    "where it has some; between two checkpoints a record could be dated back.",
    "For whoever sees this log for the first time: that no earlier log was thrown away. Keep the "
    "checkpoint (--pin), and ask for it next time.",
)
_METHOD = (
    "Suites are run against the target by Holdfast: a baseline is taken, faults are injected "
    "under a guard and reverted, recovery and data are checked. The plan, the approval and the "
    "start of a run are in the log before its first fault, the result after its last check. Every "
    "record is signed (Ed25519, DSSE) and is a leaf of a Merkle tree (RFC 6962)."
)


def page(told: Told, catalogues: Mapping[str, str], witnesses: str) -> bytes:
    """Write the page; the same content gives the same bytes."""
    style = files(__package__).joinpath("page.css").read_text()
    body = "".join((
        _head(told), _scope(told, catalogues, witnesses), _controls(told), _exceptions(told.runs),
        _approvals(told.runs), _gaps(told), _runs(told.runs), _how(told), _rest(),
    ))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Audit report, {escape(told.basis.origin)}</title><style>{style}</style></head>\n"
        f"<body><main>\n{body}</main></body></html>\n"
    ).encode()


def _head(told: Told) -> str:
    counts = {state: sum(s.state is state for s in told.standings) for state in State}
    lamps = "".join(
        f'<li class="{state}"><b>{count}</b> {state}</li>' for state, count in counts.items()
        if count)
    return (f"<h1>Audit report</h1>\n<p class=note>{escape(DISCLAIMER)}</p>\n"
            f'<ul class="counts">{lamps}</ul>\n')


def _scope(told: Told, catalogues: Mapping[str, str], witnesses: str) -> str:
    basis, request = told.basis, told.basis.request
    period = f"{_day(request.since, 'the beginning')} to {_day(request.until, 'the end')}"
    rows = [
        ("Log", f"{basis.origin}, {basis.size} records, as of {_time(basis.at)}"),
        ("Witnesses", witnesses), ("Period", period),
        ("Only", "; ".join(filters(request)) or "everything"),
        ("Population", f"{len(told.population)} runs have a record in the period; "
                       f"{len(told.runs)} are told of here"),
        ("Fresh for", f"{request.days} days, or the control's own longest age where shorter"),
        *((f"Controls: {name}", digest) for name, digest in sorted(catalogues.items())),
    ]
    lines = "".join(f"<tr><th scope=row>{escape(k)}</th><td>{escape(v)}</td></tr>\n"
                    for k, v in rows)
    return (f"<h2>Scope and method</h2>\n<table class=facts>{lines}</table>\n"
            f"<p>{escape(_METHOD)}</p>\n")


def _controls(told: Told) -> str:
    shown = [s for s in told.standings if s.state not in (State.NO_EVIDENCE,)]
    absent = len(told.standings) - len(shown)
    return (_section("Controls", ("Control", "Service", "State", "Why", "Records", "Due"),
                     map(_standing, shown), "No run has shown anything of any control.")
            + f"<p>{absent} more have no evidence at all; they are among the gaps.</p>\n")


def _gaps(told: Told) -> str:
    return _section("Gaps, the gravest first",
                    ("Control", "Service", "State", "Why", "Records", "Due"),
                    map(_standing, told.gaps), "None.")


def _standing(s: Standing) -> Sequence[str]:
    return (f"{s.control.name}: {s.control.title}", s.service, f"={s.state}", s.reason,
            ", ".join(map(str, s.records[:12])), "" if s.due is None else s.due.isoformat())


def _exceptions(runs: Sequence[RunTold]) -> str:
    return _section("Exceptions: runs that did not hold", ("Run", "Verdict", "What was found"), (
        row for run in runs for row in _exceptions_of(run)), "Every run held.")


def _exceptions_of(run: RunTold) -> Iterable[Sequence[str]]:
    """What each of its starts came to, where that was not well."""
    for result in run.results.values():
        if (verdict := verdict_of(result)) not in ("HELD", "postponed"):
            why = "; ".join(_found(result)) or str(result.predicate.get("reason", ""))
            yield run.run_id, f"={verdict}", why
    if run.result is None:
        yield run.run_id, "=none", "no result was signed: it goes on, or its end is missing"


def _found(result: Statement) -> Iterable[str]:
    told = result.predicate.get("findings", ())
    for finding in told if isinstance(told, list) else ():
        if isinstance(finding, Mapping):
            yield f"{finding.get('experiment') or 'whole run'}: {finding.get('text')}"


def _approvals(runs: Sequence[RunTold]) -> str:
    return _section("Approvals", ("Run", "Record", "Answer", "By", "Triggered by"), (
        (run.run_id, str(index), str(told.get("answer")), str(told.get("by")) or "nobody",
         str(told.get("triggered_by"))) for run in runs for index, told in run.approvals
    ), "No run had to be approved.")


def _runs(runs: Sequence[RunTold]) -> str:
    return _section("Runs", ("Run", "Started", "Verdict", "Services", "Records"), (
        (run.run_id, run.started_at[:19], f"={run.verdict}", ", ".join(sorted(run.services)),
         ", ".join(map(_number, run.statements.items()))) for run in runs
    ), "None in the period.")


def _number(record: tuple[int, Statement]) -> str:
    index, statement = record
    late = late_of(statement)
    return str(index) if late is None else f"{index} (late: signed {late.signed_at[:19]})"


def _how(told: Told) -> str:
    return (
        "<h2>How to check this without us</h2>\n<ol>"
        "<li>Get the trust folder (policy, roles.json) and holdfast-verify.pyz by another way "
        "than this bundle.</li>"
        "<li><code>python3 holdfast-verify.pyz BUNDLE.zip --trust TRUST --pin PIN</code>: needs "
        "Python and the package cryptography only, and no network. It makes this page again from "
        "the records and compares.</li>"
        "<li>With other tools: every record in entries/ is a DSSE envelope (securesystemslib), "
        "every file in proofs/ a C2SP tlog-proof, the checkpoint in log/ a C2SP signed note, "
        "oscal/ follows NIST's schema.</li></ol>\n"
        f"<p>The log's head is of {told.basis.size} records.</p>\n"
    )


def _rest() -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in _NOT_PROVEN)
    return f"<h2>What is not proven</h2>\n<ul>{items}</ul>\n"


def _section(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], empty: str
) -> str:
    lines = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>\n" for row in rows)
    if not lines:
        return f"<h2>{escape(title)}</h2>\n<p>{escape(empty)}</p>\n"
    names = "".join(f"<th scope=col>{escape(name)}</th>" for name in head)
    return (f"<h2>{escape(title)}</h2>\n<div class=wide tabindex=0 role=region "
            f'aria-label="{escape(title)}"><table><thead><tr>{names}</tr></thead>\n'
            f"<tbody>{lines}</tbody></table></div>\n")


def _cell(value: str) -> str:
    if value.startswith("="):
        word = escape(value[1:])
        return f'<td><span class="state {word}">{word}</span></td>'
    return f"<td>{escape(value)}</td>"


def _day(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else moment.isoformat(timespec="seconds")


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
