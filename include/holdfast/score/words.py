"""The paragraph and the figures at the top of a summary."""

from collections.abc import Iterable, Sequence
from math import floor

from holdfast.model.score import Score
from holdfast.model.summary import Felt, Level, Told
from holdfast.model.verdict import Finding, Verdict


def paragraph(told: Told, risk: Level, confidence: Level) -> str:
    """Say in a few sentences what was tried, what users felt, and what that is worth."""
    if told.postponed:
        return f"The run was postponed before any fault: {told.reason}. Nothing was tested."
    return " ".join(filter(None, (
        _held(told.trials), _felt(told.trials), _longest(told.findings), _data(told.findings),
        f"Overall risk is {risk}, confidence in this is {confidence}.",
    )))


def glance(told: Told) -> list[tuple[str, str]]:
    """Give the figures one looks for first; those not known are left out."""
    held = sum(t.verdict is Verdict.HELD for t in told.trials)
    figures = [("Experiments held", f"{held} of {len(told.trials)}")]
    counted = [t for t in told.trials if t.operations is not None]
    if counted:
        failed, sent = (sum(getattr(t, n) or 0 for t in counted) for n in ("failed", "operations"))
        figures.append(("Requests failed under fault", f"{failed} of {sent}"))
    slowest = _slowest(told.findings)
    if slowest is not None:
        figures.append(("Longest recovery", _seconds(slowest.measured["recovery_ms"])))
    if told.availability is not None:
        figures.append(("Availability over the run", f"{told.availability * 100:.4g} %"))
    if told.score is not None and told.score.value is not None:
        value = floor(told.score.value * 100 + 1e-9) / 100  # only a whole one reads as 1.00
        figures.append((f"Resilience over {told.score.window_days} days",
                        f"{value:.2f} of 1{_measured(told.score)}"))
    return figures


def _measured(score: Score) -> str:
    """Say how much of the score was measured, where that is not all."""
    whole = sum(part.weight for part in score.parts)
    known = sum(part.weight for part in score.parts if part.value is not None)
    return "" if known == whole else f", {known / whole:.0%} of it measured"


def _held(trials: Sequence[Felt]) -> str:
    held = sum(t.verdict is Verdict.HELD for t in trials)
    said = f"{held} of {len(trials)} experiments held"
    for verdict, word in ((Verdict.BROKEN, "broken"), (Verdict.UNKNOWN, "not decided")):
        named = [t.name for t in trials if t.verdict is verdict]
        if named:
            said += f"; {word}: {', '.join(named)}"
    return said + "."


def _felt(trials: Iterable[Felt]) -> str:
    counted = [t for t in trials if t.operations is not None]
    if not counted:
        return ""
    sent, failed, slow, unsure = (
        sum(getattr(t, name) or 0 for t in counted)
        for name in ("operations", "failed", "slow", "unsure")
    )
    if not failed + slow + unsure:
        return "Users felt none of the faults."
    return (f"Of {sent} requests that users sent while they felt faults, {failed} failed, "
            f"{slow} were slow and {unsure} ended with an unknown outcome.")


def _longest(findings: Iterable[Finding]) -> str:
    slowest = _slowest(findings)
    if slowest is None:
        return ""
    bound = slowest.measured.get("bound_ms")
    allowed = f", {_seconds(bound)} allowed" if isinstance(bound, int) else ""
    return (f"The longest recovery took {_seconds(slowest.measured['recovery_ms'])} "
            f"({slowest.experiment}{allowed}).")


def _slowest(findings: Iterable[Finding]) -> Finding | None:
    measured = [
        (took, f) for f in findings
        if f.name == "recovery" and isinstance(took := f.measured.get("recovery_ms"), int) and took
    ]
    return max(measured, key=lambda pair: pair[0])[1] if measured else None


def _data(findings: Iterable[Finding]) -> str:
    """Say how the data came through: what broke, else that all checks held."""
    whole = [f for f in findings if not f.experiment and "mechanism" not in f.measured]
    bad = [f for f in whole if f.verdict is not Verdict.HELD]
    if bad:
        return f"For the run as a whole: {bad[0].text.rstrip('.')}."
    return f"{whole[0].text[:1].upper()}{whole[0].text[1:].rstrip('.')}." if whole else ""


def _seconds(ms: object) -> str:
    seconds = ms / 1000 if isinstance(ms, int) else 0.0
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
