"""What a suite must keep beyond its shape: one function for each rule."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from functools import cache
from pathlib import PurePosixPath

from holdfast.model.params import read_params
from holdfast.model.suite import Experiment, StopCondition, Suite, format_duration
from holdfast.ports.faults import FaultDriver
from holdfast.registry import Registry
from holdfast.spec.problems import Place, Problem, nearest

LONGEST = timedelta(minutes=15)
MOST_EXPERIMENTS = 100
_OWN_PROCESSES = (
    "prometheus.pid", "api-server.pid", "scheduler.pid", "dag-processor.pid", "triggerer.pid",
)
_OWN_FOLDERS = ("airflow", "journal", "keys")
_CONTROL = re.compile(r"[a-z0-9][a-z0-9-]*:[a-z0-9][a-z0-9._()-]*")

Rule = Callable[[Suite, "Known"], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Known:
    """What is installed: fault drivers, probes and checkers by name."""

    drivers: Mapping[str, FaultDriver]
    probes: Collection[str]
    checkers: Collection[str]


@cache
def installed() -> Known:
    """What this installation offers."""
    return Known(
        Registry[FaultDriver]("faults", "DRIVER"),
        tuple(Registry[object]("probes", "PROBE")),
        tuple(Registry[object]("checkers", "CHECKER")),
    )


def check(suite: Suite, known: Known, *, whole: bool = True) -> list[Problem]:
    """Run every rule; a suite that is not whole is spared those that miss something."""
    return [
        problem
        for rule, needs_whole in _RULES.items() if whole or not needs_whole
        for problem in rule(suite, known)
    ]


_RULES: dict[Rule, bool] = {}


def _rule(rule: Rule) -> Rule:
    _RULES[rule] = False
    return rule


def _rule_of_whole(rule: Rule) -> Rule:
    """Register a rule that asks for something to be there."""
    _RULES[rule] = True
    return rule


def _experiments(suite: Suite) -> Iterator[tuple[Place, Experiment]]:
    for number, step in enumerate(suite.rounds):
        for index, experiment in enumerate(step.experiments):
            yield ("rounds", number, "experiments", index), experiment


@_rule
def experiments_can_be_counted(suite: Suite, _: Known) -> Iterator[Problem]:
    """One suite stays one night's work, and its DAG a DAG."""
    count = sum(1 for _ in _experiments(suite))
    if count > MOST_EXPERIMENTS:
        yield Problem(("rounds",), f"{count} experiments", f"at most {MOST_EXPERIMENTS}")


@_rule
def service_exists(suite: Suite, _: Known) -> Iterator[Problem]:
    """A fault's target is one of the services."""
    for place, experiment in _experiments(suite):
        target = experiment.fault.target
        if target not in suite.target.services:
            hint = nearest(target, suite.target.services)
            yield Problem((*place, "fault", "target"), f"unknown service '{target}'", hint)


@_rule
def fault_type_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a driver for each fault."""
    for place, experiment in _experiments(suite):
        kind = experiment.fault.type
        if kind not in known.drivers:
            hint = nearest(kind, known.drivers)
            yield Problem((*place, "fault", "type"), f"unknown fault type '{kind}'", hint)


@_rule
def fault_params_fit(suite: Suite, known: Known) -> Iterator[Problem]:
    """Parameters are those of the driver, typed and within its bounds."""
    for place, experiment in _experiments(suite):
        if experiment.fault.type not in known.drivers:
            continue
        settings = known.drivers[experiment.fault.type].params
        for wrong in read_params(experiment.fault.params, settings)[1]:
            hint = wrong.hint or nearest(wrong.name, settings) or "it takes none"
            yield Problem(
                (*place, "fault", "params", wrong.name), wrong.text, hint, on_key=not wrong.known
            )


@_rule_of_whole
def selector_has_the_address(suite: Suite, known: Known) -> Iterator[Problem]:
    """The service has the kind of address that the driver needs."""
    for place, experiment in _experiments(suite):
        fault = experiment.fault
        service = suite.target.services.get(fault.target)
        if service is None or fault.type not in known.drivers:
            continue
        needed = getattr(known.drivers[fault.type], "address", "")
        has = service.model_dump(exclude_none=True)
        if needed and has and needed not in has:
            yield Problem(
                (*place, "fault", "target"),
                f"{fault.type} needs a service with a '{needed}' address",
                f"'{fault.target}' has: {', '.join(has)}",
            )


@_rule_of_whole
def service_has_an_address(suite: Suite, _: Known) -> Iterator[Problem]:
    """A service can be found."""
    for name, selector in suite.target.services.items():
        if not selector.model_dump(exclude_none=True):
            yield Problem(
                ("target", "services", name), f"service '{name}' has no address",
                f"one of: {', '.join(type(selector).model_fields)}",
            )


@_rule
def addresses_stay_outside(suite: Suite, _: Known) -> Iterator[Problem]:
    """Addresses and secrets are in connections; a suite names their ids."""
    for place, value in _connection_ids(suite):
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
            shown = value if "@" not in value else value.rpartition("@")[2]
            yield Problem(place, f"'{shown}' is no connection", "addresses are in connections")


def _connection_ids(suite: Suite) -> Iterator[tuple[Place, str]]:
    yield ("target", "prometheus"), suite.target.prometheus
    for name, selector in suite.target.services.items():
        for kind in ("postgres", "proxy", "http"):
            value = getattr(selector, kind)
            if value is not None:
                yield ("target", "services", name, kind), value
    for name, history in suite.target.histories.items():
        yield ("target", "histories", name, "postgres"), history.postgres


@_rule
def paths_stay_inside(suite: Suite, _: Known) -> Iterator[Problem]:
    """Pid files and histories are below the state folder."""
    paths: list[tuple[Place, str]] = [
        (("target", "services", name, "process"), selector.process)
        for name, selector in suite.target.services.items() if selector.process is not None
    ]
    paths += [
        (("target", "histories", name, "file"), history.file)
        for name, history in suite.target.histories.items()
    ]
    for place, path in paths:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            yield Problem(place, f"'{path}' leads out of the state folder", "give a path below it")


@_rule
def holdfast_is_no_target(suite: Suite, _: Known) -> Iterator[Problem]:
    """No fault hits the store, Airflow or the Prometheus that the guard depends on."""
    for place, experiment in _experiments(suite):
        service = suite.target.services.get(experiment.fault.target)
        if service is None:
            continue
        connections = (service.http, service.proxy, service.postgres)
        if suite.target.prometheus in connections or _is_own(service.process or ""):
            yield Problem(
                (*place, "fault", "target"),
                f"service '{experiment.fault.target}' carries Holdfast itself",
                "who watches a fault must not be hit by it",
            )


def _is_own(pattern: str) -> bool:
    path = PurePosixPath(pattern)
    return path.parts[:1] in {(folder,) for folder in _OWN_FOLDERS} or any(
        fnmatch(own, path.name) for own in _OWN_PROCESSES
    )


@_rule
def names_are_unique(suite: Suite, _: Known) -> Iterator[Problem]:
    """No two experiments and no two objectives have one name."""
    experiments = [((*place, "name"), e.name) for place, e in _experiments(suite)]
    objectives: list[tuple[Place, str]] = [
        (("objectives", index, "name"), o.name) for index, o in enumerate(suite.objectives)
    ]
    for what, named in (("experiment", experiments), ("objective", objectives)):
        seen: set[str] = set()
        for place, name in named:
            if name in seen:
                yield Problem(place, f"{what} '{name}' is there twice", "give it a name of its own")
            seen.add(name)


@_rule
def stop_on_names_an_objective(suite: Suite, _: Known) -> Iterator[Problem]:
    """What the guard tolerates is about an objective."""
    objectives = [o.name for o in suite.objectives]
    for place, experiment in _experiments(suite):
        for name in experiment.stop_on:
            if name not in objectives:
                hint = nearest(name, objectives)
                yield Problem(
                    (*place, "stop_on", name), f"unknown objective '{name}'", hint, on_key=True
                )


@_rule
def stop_on_is_against_the_objective(suite: Suite, _: Known) -> Iterator[Problem]:
    """A stop condition looks the other way than its objective, in the same unit."""
    objectives = {o.name: o.objective for o in suite.objectives}
    for place, experiment in _experiments(suite):
        for name, stop in experiment.stop_on.items():
            objective = objectives.get(name)
            if objective is None:
                continue
            here = (*place, "stop_on", name)
            if stop.bound.op[0] == objective.op[0]:
                turned = ">" if objective.op[0] == "<" else "<"
                yield Problem(here, f"'{stop}' would stop while {name} holds ({objective})",
                              f"a stop condition says when to stop: begin it with {turned}")
            elif _measure(stop) != _measure(StopCondition(bound=objective)):
                yield Problem(here, f"'{stop}' and the objective '{objective}' differ in unit")
            elif "%" in (stop.bound.unit, objective.unit) and not 0 <= stop.bound.value <= 1:
                yield Problem(here, f"'{stop}' is no ratio, as the objective '{objective}' is",
                              "a ratio is between 0 and 1, or 0% and 100%")


def _measure(stop: StopCondition) -> str:
    return {"ms": "time", "s": "time", "%": "ratio"}.get(stop.bound.unit, "ratio")


@_rule
def cron_is_valid(suite: Suite, _: Known) -> Iterator[Problem]:
    """The schedule can be read."""
    from croniter import croniter  # type: ignore[import-untyped]

    cron = suite.schedule.cron if suite.schedule else "@daily"
    is_plain = cron.startswith("@") or len(cron.split()) == 5  # croniter knows seconds and years
    if not (is_plain and croniter.is_valid(cron)):
        yield Problem(("schedule", "cron"), f"'{cron}' is not a cron expression",
                      "minute hour day month weekday, such as '0 2 * * *'")


@_rule
def time_zone_is_known(suite: Suite, _: Known) -> Iterator[Problem]:
    """The time zone is in the database of time zones."""
    from zoneinfo import ZoneInfo, available_timezones

    if suite.schedule is None:
        return
    name = suite.schedule.time_zone
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = nearest(name, available_timezones())
        hint = near if near.startswith("did you mean") else "such as Europe/Berlin or UTC"
        yield Problem(("schedule", "time_zone"), f"unknown time zone '{name}'", hint)


def _outside(place: Place, value: timedelta, low: timedelta, high: timedelta) -> Iterator[Problem]:
    text = f"'{place[-1]}' is {format_duration(value)}"
    if value < low:
        yield Problem(place, text, f"at least {format_duration(low)}")
    if value > high:
        yield Problem(place, text, f"at most {format_duration(high)}")


@_rule
def durations_are_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """A fault has an end within reach, and so has the wait for recovery."""
    moment = timedelta(milliseconds=1)
    for place, experiment in _experiments(suite):
        fault, allowed = experiment.fault, experiment.expect.recovery_within
        yield from _outside((*place, "fault", "duration"), fault.duration, moment, LONGEST)
        yield from _outside((*place, "fault", "delay"), fault.delay, timedelta(0), LONGEST)
        if allowed is not None:
            yield from _outside((*place, "expect", "recovery_within"), allowed, moment, LONGEST)
        for name, stop in experiment.stop_on.items():
            yield from _outside((*place, "stop_on", name), stop.hold, timedelta(0), LONGEST)


@_rule
def baseline_is_sane(suite: Suite, _: Known) -> Iterator[Problem]:
    """The baseline is long enough to say something and short enough to end."""
    low, high = timedelta(seconds=2), timedelta(minutes=10)
    yield from _outside(("baseline", "window"), suite.baseline.window, low, high)


@_rule
def guard_is_quick_enough(suite: Suite, _: Known) -> Iterator[Problem]:
    """A lease lasts several polls, so that one that is late does not end the fault."""
    guard, second = suite.guard, timedelta(seconds=1)
    yield from _outside(("guard", "lease"), guard.lease, 2 * second, 60 * second)
    yield from _outside(("guard", "poll"), guard.poll, second / 10, 10 * second)
    yield from _outside(("guard", "grace"), guard.grace, second / 2, 60 * second)
    if guard.poll >= guard.lease / 3:
        yield Problem(
            ("guard", "poll"), f"'poll' is {format_duration(guard.poll)}",
            f"less than a third of the lease, which is {format_duration(guard.lease)}",
        )


@_rule
def checks_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a probe for each check."""
    for place, experiment in _experiments(suite):
        for index, name in enumerate(experiment.expect.checks):
            if name not in known.probes:
                hint = nearest(name, known.probes)
                yield Problem((*place, "expect", "checks", index), f"unknown check '{name}'", hint)


@_rule
def checker_and_history_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """A consistency check has a checker and a history to look at."""
    for index, item in enumerate(suite.consistency):
        here = ("consistency", index)
        if item.checker not in known.checkers:
            hint = nearest(item.checker, known.checkers)
            yield Problem((*here, "checker"), f"unknown checker '{item.checker}'", hint)
        if item.history not in suite.target.histories:
            hint = nearest(item.history, suite.target.histories) or "target.histories has none"
            yield Problem((*here, "history"), f"unknown history '{item.history}'", hint)


@_rule_of_whole
def recovery_point_is_counted(suite: Suite, known: Known) -> Iterator[Problem]:
    """Who bounds lost writes counts them."""
    checkers = [item.checker for item in suite.consistency]
    if "lost_writes" in checkers or any(name not in known.checkers for name in checkers):
        return
    for place, experiment in _experiments(suite):
        if experiment.expect.recovery_point is not None:
            yield Problem(
                (*place, "expect", "recovery_point"), "nothing counts the lost writes",
                "add a consistency check with the checker lost_writes",
            )


@_rule
def controls_are_spelled_well(suite: Suite, _: Known) -> Iterator[Problem]:
    """A control is named by its framework and its id."""
    for index, control in enumerate(suite.compliance.controls):
        if not _CONTROL.fullmatch(control):
            yield Problem(("compliance", "controls", index), f"'{control}' is not a control",
                          "framework:id in lower case, such as dora:art-24.4")


@_rule
def one_round_hits_a_target_once(suite: Suite, _: Known) -> Iterator[Problem]:
    """Faults side by side differ in type or in target."""
    seen: dict[tuple[int, str, str], str] = {}
    for place, experiment in _experiments(suite):
        key = (place[1], experiment.fault.type, experiment.fault.target)
        if key in seen:
            yield Problem(
                (*place, "fault", "target"),
                f"'{seen[key]}' has the same fault on '{experiment.fault.target}' in this round",
                "move one of them to another round",
            )
        seen.setdefault(key, experiment.name)
