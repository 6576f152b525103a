"""The report as Markdown, for a ticket or a pull request."""

from collections.abc import Iterable, Iterator, Sequence

from holdfast.ports.reports import Renderer
from holdfast.reports._content import DISCLAIMER, Report, hundredths, percent, seconds


class MarkdownReport:
    """Tables that read well as plain text too."""

    suffix = "md"
    media_type = "text/markdown"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        parts = (_head, _summary, _experiments, _guard, _mechanisms, _histories, _money,
                 _whole_run, _before, _reach, _score, _evidence)
        lines = [line for part in parts for line in part(report)]
        return ("\n".join(lines) + "\n").encode()


def _head(report: Report) -> Iterator[str]:
    yield f"# {report.verdict.name}: {plain(report.suite)}"
    yield f"\n{plain(report.headline)}\n"
    yield f"Run `{report.run_id}` in {report.environment}, started {report.started_at} by "
    yield f"{plain(report.triggered_by)}, took {seconds(report.duration_ms)}."


def _summary(report: Report) -> Iterator[str]:
    told = report.summary
    yield f"\n## Summary\n\n{plain(told.paragraph)}\n"
    yield from (f"- {name}: {plain(value)}" for name, value in told.glance)
    yield f"- Overall risk: **{told.risk}**, {plain(told.risk_because)}"
    yield f"- Confidence: **{told.confidence}**, {plain(told.confidence_because)}"
    yield f"- Next review: {told.review_on}"
    for title, texts in (("Strengths", told.strengths), ("Weaknesses", told.weaknesses)):
        if texts:
            yield f"\n### {title}\n"
            yield from (f"- {plain(text)}" for text in texts)
    yield from _section("### What to do", _table(
        ("When", "Action", "Because", "Team", "Due"),
        ((a.urgency, a.text, a.because, a.team, a.due) for a in told.actions),
    ))
    yield from _section("### Next experiments", _table(
        ("Experiment", "What must be there first"),
        ((n.name, n.prerequisite) for n in told.next_experiments),
    ))


def _experiments(report: Report) -> Iterator[str]:
    yield "\n## Experiments\n"
    yield from _table(
        ("Experiment", "Verdict", "Detection", "Recovery from fault", "from revert", "Failed"),
        ((t.name, t.verdict.name, seconds(t.detection_ms), seconds(t.recovery_from_fault_ms),
          seconds(t.recovery_from_revert_ms), _count(t.failed)) for t in report.trials),
    )
    for trial in report.trials:
        yield f"\n### {plain(trial.name)}\n"
        yield f"{plain(trial.hypothesis)} Fault: {plain(trial.fault)}.\n"
        yield from (
            f"- **{c.verdict.name}** {plain(c.name)}: {plain(c.text)}" for c in trial.checks
            if not c.told_in
        )
        if not trial.checks:
            yield f"- **{trial.verdict.name}** {plain(trial.how_it_ended)}"
    if report.left_out:
        yield f"\nLeft out by choice: {', '.join(report.left_out)}."


def _guard(report: Report) -> Iterator[str]:
    yield from _section("## Guard", _table(
        ("Experiment", "Decision", "Lease margin", "Abort latency (guard + keeper)"),
        ((g.experiment, g.decision, seconds(g.lease_margin_ms),
          "–" if g.guard_ms is None else
          f"{seconds(g.abort_ms)} ({seconds(g.guard_ms)} + {seconds(g.keeper_ms)})")
         for g in report.guarded),
    ))


def _mechanisms(report: Report) -> Iterator[str]:
    yield from _section("## Mechanisms", _table(
        ("Mechanism", "Type", "Experiment", "State", "Risk", "Evidence"),
        ((m.name, ": ".join(filter(None, (m.type, m.description))), m.experiment, m.state, m.risk,
          "; ".join([m.text, *(f"{name} {value}" for name, value in m.figures)]))
         for m in report.mechanisms),
    ))


def _histories(report: Report) -> Iterator[str]:
    if report.histories:
        yield "\n## Histories\n"
    for judged in report.histories:
        options = "".join(f", {name} {value}" for name, value in judged.options)
        yield f"- **{judged.verdict.name}** {plain(judged.name)} ({judged.checker}{options})"
        yield "  seen: " + ", ".join(f"{count} {name}" for name, count in judged.seen)
        for fault, times in judged.around:
            told = (f"{sent} sent, {ok} acknowledged" for sent, ok in times)
            yield f"  - {plain(fault)}: before, while it was on, after: {'; '.join(told)}"
        for anomaly, place in judged.examples:
            yield f"  - {anomaly}, for example: {plain(place)}"
        for circle in judged.circles:
            yield "\n" + "\n".join(f"      {line}" for line in circle.text.splitlines())


def _money(report: Report) -> Iterator[str]:
    yield from _section("## Budget", _table(
        ("For", "Reserved", "Spent", "Given back", "Currency", "Requests", "Seconds under fault"),
        ((s.name, s.reserved, s.spent, s.released, s.currency, s.requests, s.fault_seconds)
         for s in report.spends),
    ))
    if report.day_left:
        yield f"\n{plain(report.day_left)}."


def _whole_run(report: Report) -> Iterator[str]:
    yield from _section("## Data checks, and the run as a whole", [
        f"- **{c.verdict.name}** {plain(c.name)}: {plain(c.text)}" for c in report.checks
        if not c.told_in
    ])


def _before(report: Report) -> Iterator[str]:
    yield from _section("## Before the first fault", _table(
        ("Objective", "Bound", "Mean", "Worst", "Distribution", "Against earlier runs"),
        ((n.name, n.objective, n.mean, n.worst, n.quantiles, n.drift or _compared(n.earlier_runs))
         for n in report.normals),
    ))
    if report.health:
        score, limit = map(hundredths, (report.health.score, report.health.limit))
        yield f"\nHealth {score}, at least {limit}.\n"
        yield from _table(("Part", "Weight", "Value", "Why"), (
            (p.name, f"{p.weight:g}", hundredths(p.value), p.text) for p in report.health.parts))


def _reach(report: Report) -> Iterator[str]:
    yield from _section("## Blast radius", _table(
        ("Experiment", "Verdict", "Requests hit", "Of all", "Share", "Limit", "Why"),
        ((b.experiment, b.verdict.name, _count(b.hit), _count(b.requests), percent(b.share),
          percent(b.limit), b.text) for b in report.blasts),
    ))


def _score(report: Report) -> Iterator[str]:
    if report.score is None:
        return
    days, value = report.score.window_days, report.score.value
    figure = "" if value is None else f": {hundredths(value)} of 1"
    yield f"\n## Resilience score over {days} days{figure}\n\n{plain(report.score.text)}.\n"
    yield from _table(("Part", "Weight", "Value", "Why", "Runs"), (
        (p.name, f"{p.weight:g}", "not measured" if p.value is None else hundredths(p.value),
         p.text, ", ".join(p.runs)) for p in report.score.parts))


def _evidence(report: Report) -> Iterator[str]:
    yield "\n## Environment\n"
    yield from (f"- {name}: {plain(value)}" for name, value in report.facts)
    yield "\n## Repeat\n"
    yield from (f"    {line}" for line in report.repeat)
    yield "\n## Evidence\n"
    if report.proof.trouble:
        yield f"**{plain(report.proof.trouble)}**\n"
    yield f"Key `{report.proof.key_id[:16]}`; records " + ", ".join(
        f"{index} ({kind})" for index, kind, _ in report.proof.records) + ". "
    yield f"Check with `holdfast evidence verify {report.run_id}`.\n"
    yield from (f"- `{f.name}` {f.digest}" for f in report.proof.files)
    if report.controls:
        yield f"\nSupports evidence for: {', '.join(report.controls)}."
    yield f"\n{DISCLAIMER}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Give the section, or nothing when there is nothing in it."""
    found = list(lines)
    if found:
        yield f"\n{title}\n"
        yield from found


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        if number == 0:
            yield "| " + " | ".join(head) + " |"
            yield "|" + "---|" * len(head)
        yield "| " + " | ".join(plain(cell) for cell in row) + " |"


def _compared(earlier: int | None) -> str:
    return f"as in {earlier} earlier runs" if earlier else "nothing to compare with"


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)


def plain(text: str) -> str:
    """Keep what a suite's author wrote from becoming markup."""
    for mark in ("\\", "|", "<", ">", "`", "*", "_", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


RENDERER: Renderer[Report] = MarkdownReport()
