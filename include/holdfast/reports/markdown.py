"""The report as Markdown, for a ticket or a pull request."""

from collections.abc import Iterable, Iterator, Sequence

from holdfast.ports.reports import Renderer
from holdfast.reports._content import DISCLAIMER, Report, seconds


class MarkdownReport:
    """Tables that read well as plain text too."""

    suffix = "md"
    media_type = "text/markdown"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        return ("\n".join(_document(report)) + "\n").encode()


def _document(report: Report) -> Iterator[str]:
    yield f"# {report.verdict.name}: {_plain(report.suite)}"
    yield f"\n{_plain(report.headline)}\n"
    yield f"Run `{report.run_id}` in {report.environment}, started {report.started_at} by "
    yield f"{_plain(report.triggered_by)}, took {seconds(report.duration_ms)}."
    yield "\n## Experiments\n"
    yield from _table(
        ("Experiment", "Verdict", "Detection", "Recovery from fault", "from revert", "Failed"),
        ((t.name, t.verdict.name, seconds(t.detection_ms), seconds(t.recovery_from_fault_ms),
          seconds(t.recovery_from_revert_ms), "–" if t.failed is None else str(t.failed))
         for t in report.trials),
    )
    for trial in report.trials:
        yield f"\n### {trial.name}\n\n{_plain(trial.hypothesis)} Fault: {_plain(trial.fault)}.\n"
        yield from (
            f"- **{c.verdict.name}** {c.name}: {_plain(c.text)}" for c in trial.checks
        )
    if report.left_out:
        yield f"\nLeft out by choice: {', '.join(report.left_out)}."
    yield "\n## Guard\n"
    yield from _table(
        ("Experiment", "Decision", "Lease margin", "Abort latency (guard + keeper)"),
        ((g.experiment, g.decision, seconds(g.lease_margin_ms),
          "–" if g.guard_ms is None else
          f"{seconds(g.abort_ms)} ({seconds(g.guard_ms)} + {seconds(g.keeper_ms)})")
         for g in report.guarded),
    )
    yield "\n## The run as a whole\n"
    yield from (f"- **{c.verdict.name}** {c.name}: {_plain(c.text)}" for c in report.checks)
    yield "\n## Evidence\n"
    yield f"Key `{report.proof.key_id[:16]}`; records " + ", ".join(
        f"{index} ({kind})" for index, kind, _ in report.proof.records) + ". "
    yield f"Check with `holdfast evidence verify {report.run_id}`.\n"
    yield from (f"- `{f.name}` {f.digest}" for f in report.proof.files)
    if report.controls:
        yield f"\nSupports evidence for: {', '.join(report.controls)}.\n"
    yield f"\n{DISCLAIMER}\n\n## Repeat\n"
    yield from (f"    {line}" for line in report.repeat)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(_plain(cell) for cell in row) + " |"


def _plain(text: str) -> str:
    """Keep what a suite's author wrote from becoming markup."""
    for mark in ("\\", "|", "<", ">", "`", "*", "_", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


RENDERER: Renderer[Report] = MarkdownReport()
