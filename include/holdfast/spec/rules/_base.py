"""How a rule is registered, and what it may know."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from holdfast.model.quantities import format_duration
from holdfast.model.suite import Experiment, Suite
from holdfast.ports.checkers import Checker
from holdfast.ports.faults import FaultDriver
from holdfast.ports.mechanisms import Mechanism
from holdfast.ports.workloads import Workload
from holdfast.spec.problems import Place, Problem

LONGEST = timedelta(minutes=15)
MOST_EXPERIMENTS = 40  # their results fit into one signed record

Rule = Callable[[Suite, "Known"], Iterator[Problem]]
RULES: dict[Rule, bool] = {}
"""Each rule, and whether only a suite that is whole can be held to it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is installed, by name: drivers, probes, checkers, judges of mechanisms, workloads."""

    drivers: Mapping[str, FaultDriver]
    probes: Collection[str]
    checkers: Mapping[str, Checker]
    mechanisms: Mapping[str, Mechanism]
    controls: Collection[str] = ()
    workloads: Mapping[str, type[Workload]] = field(default_factory=dict)


def rule(rule: Rule) -> Rule:
    """Register a rule."""
    RULES[rule] = False
    return rule


def rule_of_whole(rule: Rule) -> Rule:
    """Register a rule that asks for something to be there."""
    RULES[rule] = True
    return rule


def experiments(suite: Suite) -> Iterator[tuple[Place, Experiment]]:
    """Give every experiment with its place in the file."""
    for number, step in enumerate(suite.rounds):
        for index, experiment in enumerate(step.experiments):
            yield ("rounds", number, "experiments", index), experiment


def experiments_can_be_counted(suite: Suite) -> Iterator[Problem]:
    """One suite stays one night's work, and its DAG a DAG; each step of a rollout is one."""
    count = sum(len(e.rollout.steps) if e.rollout else 1 for _, e in experiments(suite))
    if count > MOST_EXPERIMENTS:
        yield Problem(("rounds",), f"{count} experiments", f"at most {MOST_EXPERIMENTS}")


def outside(place: Place, value: timedelta, low: timedelta, high: timedelta) -> Iterator[Problem]:
    """Say when a duration is not within its bounds."""
    text = f"'{place[-1]}' is {format_duration(value)}"
    if value < low:
        yield Problem(place, text, f"at least {format_duration(low)}")
    if value > high:
        yield Problem(place, text, f"at most {format_duration(high)}")
