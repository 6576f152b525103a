"""How objectives are measured."""

import re
from collections.abc import Collection, Iterator
from datetime import timedelta

from holdfast.model.indicator import KINDS, WINDOW, Indicator, Measure
from holdfast.model.promql import LONGEST_RANGE, costly
from holdfast.model.quantities import Bound, BurnCondition
from holdfast.model.suite import Objective, Suite
from holdfast.spec.problems import Place, Problem
from holdfast.spec.rules._base import Known, experiments, outside, rule, rule_of_whole

_SECOND = timedelta(seconds=1)
_PATH = re.compile(r"/[!-~]*")
_SELECT = re.compile(r"(?is)\s*(select|with)\b[^;]*(;\s*)?")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def _indicators(suite: Suite) -> Iterator[tuple[Place, Indicator, Bound]]:
    for index, objective in enumerate(suite.objectives):
        yield ("objectives", index, "indicator"), objective.indicator, objective.objective


@rule_of_whole
def indicator_has_one_source(suite: Suite, _: Known) -> Iterator[Problem]:
    """It is clear what is asked."""
    for place, indicator, _bound in _indicators(suite):
        kinds = indicator.kinds
        if not kinds:
            yield Problem(place, "the indicator says nowhere to measure",
                          f"one of: {', '.join(KINDS)}")
        elif len(kinds) > 1:
            yield Problem((*place, kinds[1]), f"an indicator is either {kinds[0]} or {kinds[1]}",
                          "an objective for each", on_key=True)


@rule
def words_belong_to_the_source(suite: Suite, _: Known) -> Iterator[Problem]:
    """A word that means nothing with this source is a mistake."""
    for place, indicator, _bound in _indicators(suite):
        if len(indicator.kinds) != 1:
            continue
        kind = indicator.kinds[0]
        for other, words in KINDS.items():
            for word in sorted(words - KINDS[kind]):
                if getattr(indicator, word) is not None:
                    yield Problem((*place, word), f"'{word}' goes with {other}, not with {kind}",
                                  "leave it out", on_key=True)


@rule
def window_is_used(suite: Suite, _: Known) -> Iterator[Problem]:
    """A placeholder for a window has one, and the other way round."""
    for place, indicator, _bound in _indicators(suite):
        has = WINDOW in (indicator.prometheus or "")
        if has and indicator.window is None:
            yield Problem(place, f"nothing says what {WINDOW} is", "window: 1m")
        elif indicator.window is not None and indicator.prometheus is not None:
            if not has:
                yield Problem((*place, "window"), f"the query has no {WINDOW}",
                              f"such as rate(errors_total[{WINDOW}])")
            yield from outside((*place, "window"), indicator.window, _SECOND, 3600 * _SECOND)


@rule
def http_indicator_is_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """A path is only a path, and one thing is read from the answer."""
    for place, indicator, _bound in _indicators(suite):
        if indicator.kinds != ["http"]:
            continue
        if indicator.path is not None and not _PATH.fullmatch(indicator.path):
            yield Problem((*place, "path"), f"'{indicator.path}' is no path",
                          "it begins with /; the address is in the connection")
        if indicator.field is not None and indicator.measure is not None:
            yield Problem((*place, "field"), "either 'field' or 'measure' is read", on_key=True)


@rule_of_whole
def bound_fits_the_answer(suite: Suite, _: Known) -> Iterator[Problem]:
    """A latency is a time; a check is 1 or 0."""
    for place, indicator, bound in _indicators(suite):
        here = (*place[:-1], "objective")
        if indicator.kinds != ["http"] or indicator.field is not None:
            continue
        if indicator.measure is Measure.LATENCY:
            if bound.unit not in ("ms", "s"):
                yield Problem(here, f"'{bound}' is no time, as a latency is", "such as '< 300ms'")
        elif bound.unit in ("ms", "s") or not bound.holds(1.0) or bound.holds(0.0):
            yield Problem(here, f"'{bound}' does not tell 1 (the answer is right) from 0",
                          "such as '>= 1'")


@rule
def sql_indicator_is_one_select(suite: Suite, _: Known) -> Iterator[Problem]:
    """It is one statement that reads; that it only reads is enforced when it runs."""
    for place, indicator, _bound in _indicators(suite):
        if indicator.kinds != ["sql"]:
            continue
        if indicator.query is None:
            yield Problem(place, "'query' is missing", "one SELECT of one number")
        elif not _SELECT.fullmatch(indicator.query):
            yield Problem((*place, "query"), "the query is not one SELECT",
                          "it begins with SELECT or WITH, and has no ';'")


@rule
def command_is_a_name(suite: Suite, _: Known) -> Iterator[Problem]:
    """A suite names what the deployment allows; it never names a program's file."""
    for place, indicator, _bound in _indicators(suite):
        if indicator.command is not None and not _NAME.fullmatch(indicator.command[0]):
            yield Problem((*place, "command", 0), f"'{indicator.command[0]}' is no command's name",
                          "a name from this deployment's setting `commands`, such as queue-depth")


@rule
def queries_are_cheap(suite: Suite, _: Known) -> Iterator[Problem]:
    """Prometheus is asked every poll: no query looks over days, or at a flood of points."""
    for place, queries in _queries(suite):
        found = next(filter(None, map(costly, queries)), None)
        if found is not None:
            yield Problem(place, found.text, found.hint)


def _queries(suite: Suite) -> Iterator[tuple[Place, Collection[str]]]:
    """Each query, with every length of time that it will be asked with."""
    for index, objective in enumerate(suite.objectives):
        if objective.indicator.prometheus is not None:
            yield ("objectives", index, "indicator", "prometheus"), {
                objective.indicator.over(window and min(window, LONGEST_RANGE))  # told elsewhere
                for window in _windows(suite, objective)
            }
    if suite.traffic is not None:
        yield ("traffic", "requests"), [suite.traffic.requests]
        yield ("traffic", "hit"), [suite.traffic.hit]
    if suite.windows.after_incident is not None:
        query = suite.windows.after_incident.prometheus
        yield ("windows", "after_incident", "prometheus"), [query]
    for name, part in suite.health.parts.items():
        yield ("health", "parts", name, "prometheus"), [part.prometheus]
    for name, mechanism in suite.mechanisms.items():
        for word, query in mechanism.indicators.items():
            yield ("mechanisms", name, "indicators", word), [query]


def _windows(suite: Suite, objective: Objective) -> Iterator[timedelta | None]:
    yield objective.indicator.window
    for _place, experiment in experiments(suite):
        for stop in experiment.stop_on.get(objective.name, ()):
            if isinstance(stop, BurnCondition):
                yield from stop.windows
