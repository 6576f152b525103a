"""Sum up a run for whoever decides: every sentence follows from what was found, by these rules.

Something to do at once makes the risk high, anything to do or undecided makes it medium. Due dates
and the next review count from the day of the run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from holdfast.model.score import Score
from holdfast.model.summary import Action, Felt, Level, Next, Summary, Told, Urgency
from holdfast.model.verdict import Finding, Verdict
from holdfast.score.matters import action, place, strength, to_try, weakness
from holdfast.score.words import glance, paragraph

DUE = {Urgency.NOW: timedelta(days=7), Urgency.MONTH: timedelta(days=30)}
REVIEW = {
    Level.HIGH: timedelta(days=7), Level.MEDIUM: timedelta(days=30), Level.LOW: timedelta(days=90),
}
SURE, FAIRLY_SURE = 0.9, 0.6
"""Shares of the checks that must be decided for a high and for a medium confidence."""
_POOR = 0.5
MOST_STRENGTHS = 12
"""Nobody who decides reads on; the whole is in the sections below the summary."""


def summarise(told: Told) -> Summary:
    """Give the summary: the same facts give the same words; what held alike is said once."""
    actions = _actions(told)
    risk, risk_because = _risk(told, actions)
    confidence, confidence_because = _confidence(told)
    review = told.began + REVIEW[risk]
    return Summary(
        paragraph(told, risk, confidence), glance(told),
        _strengths(told), list(_weaknesses(told)), actions, list(_next(told)),
        risk, risk_because, confidence, confidence_because, review.isoformat(),
    )


def _strengths(told: Told) -> list[str]:
    """All of them, or of many those that say most: of the whole run, and what held most often."""
    places: dict[str, list[Finding]] = {}
    for finding in told.findings:
        if text := strength(finding):
            places.setdefault(text, []).append(finding)
    groups = list(places.items())
    full = [text for value, text in _parts(told.score) if value == 1.0]
    more = len(groups) + len(full) - MOST_STRENGTHS
    if more > 0:
        groups.sort(key=lambda group: (bool(group[1][0].experiment), -len(group[1])))
        groups = groups[: MOST_STRENGTHS - len(full)]
    said = [f"{', '.join(map(place, found))}: {text}" for text, found in groups]
    return said + full + ([f"and {more} more, in the sections below"] if more > 0 else [])


def _weaknesses(told: Told) -> Iterable[str]:
    for name in told.dirty:
        yield f"{name}: it is not proven that nothing of its fault is left"
    yield from filter(None, map(weakness, told.findings))
    if untried := _untried(told):
        yield f"{', '.join(trial.name for trial in untried)}: not tried"
    yield from told.drift
    yield from (text for value, text in _parts(told.score) if value < _POOR)


def _parts(score: Score | None) -> Iterable[tuple[float, str]]:
    if score is not None:
        for part in score.parts:
            if part.value is not None:
                yield part.value, f"{part.name} over {score.window_days} days: {part.text}"


def _actions(told: Told) -> list[Action]:
    """Give the most urgent first, each with the suite's owner and a date."""
    found = [Action(
        Urgency.NOW, f"See what the fault of {name} has left behind: holdfast status, then sweep",
        "it is not proven that the target is clean",
    ) for name in told.dirty]
    found += [a for f in told.findings if (a := action(f)) is not None]
    found += [
        Action(Urgency.MONTH, "See what has changed since the earlier runs", text)
        for text in told.drift
    ]
    found.sort(key=lambda a: list(Urgency).index(a.urgency))
    return [
        replace(a, team=told.owner, due=(told.began + DUE[a.urgency]).isoformat()) for a in found
    ]


def _next(told: Told) -> Iterable[Next]:
    tried = {f.experiment for f in told.findings if f.verdict is Verdict.UNKNOWN}
    for trial in _untried(told):
        if trial.name not in tried:
            yield Next(trial.name, told.reason or "a run that comes as far as its round")
    yield from dict.fromkeys(n for f in told.findings if (n := to_try(f)) is not None)
    for name in told.left_out:
        yield Next(name, f"none: holdfast run {told.suite} --only {name}")


def _untried(told: Told) -> Sequence[Felt]:
    return [t for t in told.trials if not t.injected]


def _risk(told: Told, actions: Sequence[Action]) -> tuple[Level, str]:
    urgent = [a for a in actions if a.urgency is Urgency.NOW]
    if urgent:
        return Level.HIGH, f"{_count(urgent, 'thing')} to do at once"
    if actions:
        return Level.MEDIUM, f"{_count(actions, 'thing')} to do within a month"
    if untried := _untried(told):
        return Level.MEDIUM, f"{_count(untried, 'experiment')} not tried"
    return Level.LOW, "nothing that was checked asks for an action"


def _confidence(told: Told) -> tuple[Level, str]:
    """Count what was decided of all that was to be: checks, experiments not tried or left out."""
    decided = sum(f.verdict is not Verdict.UNKNOWN for f in told.findings)
    missing = len(_untried(told)) + len(told.left_out)
    whole = len(told.findings) + missing
    because = f"{decided} of {_count(told.findings, 'check')} could be decided"
    if missing:
        parts = ((_untried(told), "not tried"), (told.left_out, "left out"))
        because += "".join(f", {_count(e, 'experiment')} {how}" for e, how in parts if e)
    share = decided / whole if whole else 0.0
    if share < FAIRLY_SURE:
        return Level.LOW, because
    if all(t.operations is None for t in told.trials):
        return Level.MEDIUM, because + "; what users felt was not measured"
    return (Level.HIGH if share >= SURE else Level.MEDIUM), because


def _count(things: Sequence[object], name: str) -> str:
    return f"1 {name}" if len(things) == 1 else f"{len(things)} {name}s"
