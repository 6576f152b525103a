"""What must be true in the end."""

import re
from collections.abc import Iterator

from holdfast.model.suite import Suite
from holdfast.spec.problems import Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole

_CONTROL = re.compile(r"[a-z0-9][a-z0-9-]*:[a-z0-9][a-z0-9._()-]*")


@rule
def checks_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a probe for each check."""
    for place, experiment in experiments(suite):
        for index, name in enumerate(experiment.expect.checks):
            if name not in known.probes:
                hint = nearest(name, known.probes)
                yield Problem((*place, "expect", "checks", index), f"unknown check '{name}'", hint)


@rule
def checker_and_history_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """A consistency check has a checker and a history to look at."""
    for index, item in enumerate(suite.consistency):
        here = ("consistency", index)
        if item.checker not in known.checkers:
            hint = nearest(item.checker, known.checkers)
            yield Problem((*here, "checker"), f"unknown checker '{item.checker}'", hint)
        if item.history not in suite.target.histories:
            named = nearest(item.history or "", suite.target.histories)
            hint = named or "target.histories has none"
            yield Problem((*here, "history"), f"unknown history '{item.history}'", hint)


@rule_of_whole
def recovery_point_is_counted(suite: Suite, known: Known) -> Iterator[Problem]:
    """Who bounds lost writes counts them."""
    checkers = [item.checker for item in suite.consistency]
    if "lost_writes" in checkers or any(name not in known.checkers for name in checkers):
        return
    for place, experiment in experiments(suite):
        if experiment.expect.recovery_point is not None:
            yield Problem(
                (*place, "expect", "recovery_point"), "nothing counts the lost writes",
                "add a consistency check with the checker lost_writes",
            )


@rule
def controls_are_spelled_well(suite: Suite, _: Known) -> Iterator[Problem]:
    """A control is named by its framework and its id."""
    for index, control in enumerate(suite.compliance.controls):
        if not _CONTROL.fullmatch(control):
            yield Problem(("compliance", "controls", index), f"'{control}' is not a control",
                          "framework:id in lower case, such as dora:art-24.4")
