"""What must be true in the end."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from holdfast.errors import SpecError
from holdfast.model.quantities import Frozen
from holdfast.model.suite import Consistency, Suite
from holdfast.ports.checkers import Checker, KeyedChecker, judges_by_itself
from holdfast.spec import translate
from holdfast.spec.problems import Place, Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole

_CONTROL = re.compile(r"[a-z0-9][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._()-]*")


@rule
def checks_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a probe for each check."""
    for place, experiment in experiments(suite):
        for index, name in enumerate(experiment.expect.checks):
            if name not in known.probes:
                hint = nearest(name, known.probes)
                yield Problem((*place, "expect", "checks", index), f"unknown check '{name}'", hint)


@rule
def checker_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a checker for each consistency item."""
    for index, item in enumerate(suite.consistency):
        if item.checker not in known.checkers:
            hint = nearest(item.checker, known.checkers)
            here = ("consistency", index, "checker")
            yield Problem(here, f"unknown checker '{item.checker}'", hint)


@rule
def checked_data_exists(suite: Suite, _: Known) -> Iterator[Problem]:
    """A history or service that is named is there, and the service can be asked."""
    target, services = suite.target, suite.target.services
    for index, item in enumerate(suite.consistency):
        here = ("consistency", index)
        if item.history is not None and not target.is_there(item.history):
            hint = nearest(item.history, target.history_names) or "target.histories has none"
            yield Problem((*here, "history"), f"unknown history '{item.history}'", hint)
        if item.service is None:
            continue
        if item.service not in services:
            hint = nearest(item.service, services)
            yield Problem((*here, "service"), f"unknown service '{item.service}'", hint)
        elif services[item.service].postgres is None:
            able = [name for name, service in services.items() if service.postgres is not None]
            text = f"service '{item.service}' has no 'postgres' address"
            yield Problem((*here, "service"), text, f"known: {', '.join(able) or 'none'}")


@rule_of_whole
def a_query_has_its_connection(suite: Suite, _: Known) -> Iterator[Problem]:
    """What reads a history back is asked somewhere."""
    for name, history in suite.target.histories.items():
        if (history.query is None) != (history.postgres is None):
            given, other = ("query", "postgres") if history.query else ("postgres", "query")
            yield Problem(("target", "histories", name, given),
                          f"'{given}' is nothing without '{other}'", "give both, or neither")


@rule_of_whole
def checker_has_what_it_needs(suite: Suite, known: Known) -> Iterator[Problem]:
    """A checker of histories is given a history, one of tables a service; neither is given both."""
    for index, item in enumerate(suite.consistency):
        if item.checker not in known.checkers:
            continue
        checker = known.checkers[item.checker]
        needs = getattr(checker, "needs", "history")
        given, other = (
            (item.history, "service") if needs == "history" else (item.service, "history")
        )
        here = ("consistency", index)
        if given is None and not _by_itself(suite, item, known):
            yield Problem(here, f"{item.checker} needs a {needs}", f"{needs}: its name")
        if getattr(item, other) is not None and not _by_itself(suite, item, known):
            text = f"{item.checker} looks at a {needs}, not at a {other}"
            yield Problem((*here, other), text, f"leave {other} out", on_key=True)


def _by_itself(suite: Suite, item: Consistency, known: Known) -> bool:
    """Whether the item's history is all that is looked at."""
    target, checker = suite.target, known.checkers[item.checker]
    is_alone = target.is_there(item.history) and item.service is None
    return is_alone and judges_by_itself(checker, target.query(item.history))


@rule_of_whole
def parts_can_be_judged(suite: Suite, known: Known) -> Iterator[Problem]:
    """What is judged in parts is a history by itself, whose keys need nothing of each other."""
    able = [name for name, c in known.checkers.items() if isinstance(c, KeyedChecker)]
    for index, item in enumerate(suite.consistency):
        here = ("consistency", index, "parts")
        if item.parts is None or item.checker not in known.checkers:
            continue
        if item.checker not in able:
            yield Problem(here, f"{item.checker} cannot judge one key at a time",
                          f"leave parts out; these can: {', '.join(able)}", on_key=True)
        elif not _by_itself(suite, item, known):
            yield Problem(here, "only a history that is judged by itself has parts",
                          "leave parts out", on_key=True)


@rule
def checker_params_fit(suite: Suite, known: Known) -> Iterator[Problem]:
    """Parameters are those of the checker."""
    for index, item in enumerate(suite.consistency):
        if item.checker in known.checkers:
            checker: Any = known.checkers[item.checker]
            alone = _by_itself(suite, item, known) or not isinstance(checker, Checker)
            shape = checker.options if alone else checker.params
            yield from _misfits(("consistency", index, "params"), shape, item.params)


def _misfits(here: Place, shape: type[Frozen], given: dict[str, Any]) -> Iterator[Problem]:
    try:
        shape.model_validate(given)
    except SpecError as error:
        yield Problem(here, error.message, error.hint)
    except ValidationError as error:
        schema = shape.model_json_schema()
        placed = [{**one, "loc": (*here, *one["loc"])} for one in error.errors()]
        for problem in translate.problems(placed):
            if problem.on_key and not problem.hint:  # the suite's own schema has no such words
                words = translate.words_at(problem.place[len(here):-1], schema)
                hint = nearest(problem.place[-1], words) or "it takes none"
                yield replace(problem, hint=hint)
            else:
                yield problem


@rule_of_whole
def recovery_point_is_counted(suite: Suite, known: Known) -> Iterator[Problem]:
    """Who bounds lost writes counts them."""
    for item in suite.consistency:
        if item.checker not in known.checkers:
            return
        checker = known.checkers[item.checker]
        reads_back = isinstance(checker, Checker) and checker.needs == "history"
        if reads_back and not _by_itself(suite, item, known):
            return
    for place, experiment in experiments(suite):
        if experiment.expect.recovery_point is not None:
            yield Problem(
                (*place, "expect", "recovery_point"), "nothing counts the lost writes",
                "add a consistency check with the checker lost_writes",
            )


@rule
def controls_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """A control is named by its framework and its id, and is in a catalogue."""
    named = [(("compliance", "controls", n), c) for n, c in enumerate(suite.compliance.controls)]
    named += [((*place, "controls", n), c)
              for place, e in experiments(suite) for n, c in enumerate(e.controls)]
    for place, control in named:
        if not _CONTROL.fullmatch(control):
            yield Problem(place, f"'{control}' is not a control",
                          "framework:id, such as dora:art-24.4")
        elif control.lower() not in known.controls:
            yield Problem(place, f"unknown control '{control}'",
                          nearest(control.lower(), known.controls))
