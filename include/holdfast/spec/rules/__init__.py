"""What a suite must keep beyond its shape: one function for each rule, in the file it belongs to.

A new rule is one decorated function; a new file here is found by its name.
"""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from itertools import islice

from holdfast.model.control import Control
from holdfast.model.suite import Suite
from holdfast.ports.checkers import Checker
from holdfast.ports.faults import FaultDriver
from holdfast.ports.mechanisms import Mechanism
from holdfast.ports.workloads import Workload
from holdfast.registry import Registry
from holdfast.spec.problems import Problem
from holdfast.spec.rules._base import RULES, Known, experiments_can_be_counted

__all__ = ["Known", "check", "installed"]

_MOST = 100
"""Problems of one rule that are looked for, twice what is told of a file."""

for _file in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    import_module(f"{__name__}.{_file}")


@cache
def installed() -> Known:
    """What this installation offers."""
    catalogues = Registry[Sequence[Control]]("controls.frameworks", "CONTROLS")
    return Known(
        Registry[FaultDriver]("faults", "DRIVER"),
        tuple(Registry[object]("probes", "PROBE")),
        Registry[Checker]("checkers", "CHECKER"),
        Registry[Mechanism]("mechanisms", "MECHANISM"),
        frozenset(c.name for name in catalogues for c in catalogues[name]),
        Registry[type[Workload]]("workloads", "WORKLOAD"),
    )


def check(suite: Suite, known: Known, *, whole: bool = True) -> list[Problem]:
    """Run every rule; a suite that is not whole is spared those that miss something.

    Some rules compare each experiment with each other, and a hint is looked for among all names:
    of too many experiments nothing else is said, and no rule says more than anybody reads.
    """
    if beyond := list(experiments_can_be_counted(suite)):
        return beyond
    return [
        problem
        for rule, needs_whole in RULES.items() if whole or not needs_whole
        for problem in islice(rule(suite, known), _MOST)
    ]
