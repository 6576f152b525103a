"""What Holdfast itself sends while a suite runs, and who judges it."""

from collections.abc import Iterator
from datetime import timedelta

from holdfast.model.suite import Suite
from holdfast.model.workload import WorkloadSpec
from holdfast.spec.problems import Place, Problem, nearest
from holdfast.spec.rules._base import Known, outside, rule, rule_of_whole

_LONGEST_PAUSE = timedelta(seconds=1)
"""A transaction of a few statements ends within the 4 s that an answer is waited for."""

_OF_POSTGRES = frozenset({"isolation", "pause", "synchronous"})


@rule
def workload_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a workload of each kind."""
    for place, workload in _workloads(suite):
        if workload.kind not in known.workloads:
            hint = nearest(workload.kind, known.workloads)
            yield Problem((*place, "kind"), f"unknown workload '{workload.kind}'", hint)


@rule
def a_workload_has_its_own_name(suite: Suite, _: Known) -> Iterator[Problem]:
    """A check names a history, and there is one of that name."""
    taken = {name: f"target.histories.{name}" for name in suite.target.histories}
    for place, workload in _workloads(suite):
        if workload.name in taken:
            text = f"'{workload.name}' is the history of {taken[workload.name]} already"
            yield Problem((*place, "name"), text, "give it another name")
        taken.setdefault(workload.name, f"target.workloads.{place[-1]}")


@rule
def a_workload_has_one_place(suite: Suite, _: Known) -> Iterator[Problem]:
    """It writes to one store."""
    for place, workload in _workloads(suite):
        if bool(workload.postgres) == bool(workload.redis):
            text = "a workload writes to a postgres or to a redis"
            yield Problem(place, f"{text}, not to both" if workload.redis else text,
                          "postgres: CONNECTION")


@rule
def a_redis_takes_it(suite: Suite, known: Known) -> Iterator[Problem]:
    """A Redis has no transactions of several statements, and no isolation levels."""
    able = sorted(name for name, kind in known.workloads.items() if "redis" in kind.stores)
    for place, workload in _workloads(suite):
        if not workload.redis:
            continue
        if workload.kind in known.workloads and workload.kind not in able:
            text = f"a redis does not take the workload '{workload.kind}'"
            yield Problem((*place, "kind"), text, " or ".join(able))
        for word in sorted(_OF_POSTGRES & workload.model_fields_set):
            yield Problem((*place, word), f"{word} is for a postgres",
                          "leave it out: on a redis each operation is one command")


@rule
def a_pause_is_short(suite: Suite, _: Known) -> Iterator[Problem]:
    """A transaction that only waits is ended by its own time limit."""
    for place, workload in _workloads(suite):
        yield from outside((*place, "pause"), workload.pause, timedelta(0), _LONGEST_PAUSE)


@rule
def a_workloads_checker_fits(suite: Suite, known: Known) -> Iterator[Problem]:
    """A history is judged by the checker that its workload was made for."""
    for index, item in enumerate(suite.consistency):
        workload = suite.target.workload(item.history)
        if workload is None or workload.kind not in known.workloads:
            continue
        kind = known.workloads[workload.kind]
        fits = (kind.checker, *kind.also)
        if item.checker in known.checkers and item.checker not in fits:
            text = f"{item.checker} does not judge what the workload {workload.kind} writes"
            hint = f"checker: {' or '.join(fits)}"
            yield Problem(("consistency", index, "checker"), text, hint)


@rule_of_whole
def a_workload_is_judged(suite: Suite, known: Known) -> Iterator[Problem]:
    """What nobody judges need not be sent."""
    judged = {item.history for item in suite.consistency}
    for place, workload in _workloads(suite):
        if workload.name not in judged and workload.kind in known.workloads:
            fits = known.workloads[workload.kind].checker
            yield Problem((*place, "name"), f"no check judges the workload '{workload.name}'",
                          f"consistency: - {{checker: {fits}, history: {workload.name}}}")


def _workloads(suite: Suite) -> Iterator[tuple[Place, WorkloadSpec]]:
    for index, workload in enumerate(suite.target.workloads):
        yield ("target", "workloads", index), workload
