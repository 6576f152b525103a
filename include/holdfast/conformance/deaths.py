"""Put drivers through their deaths on the targets that a suite names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from holdfast.conformance.cells import Cell, cells
from holdfast.conformance.trial import Outcome, Trial
from holdfast.errors import HoldfastError, Postponed, SpecError
from holdfast.model.fault import Fault
from holdfast.model.suite import Experiment, Suite
from holdfast.ports.bundle import Ports
from holdfast.ports.leases import Keepers
from holdfast.settings import Settings
from holdfast.steps import indicate
from holdfast.steps.book import fault_of
from holdfast.stores.keepers import LocalKeepers
from holdfast.stores.live import SqliteLeases

STEADY_SECONDS = 60.0
"""How long the target may take to be steady again after the last death of a driver."""


def deaths(
    ports: Ports, suite: Suite, drivers: Sequence[str], thorough: Sequence[str],
    told: Callable[[Outcome], None],
) -> list[Outcome]:
    """Run every cell, each on the suite's first fault of that type; Postponed if it is busy.

    A death that could not be tried is an outcome with a problem, so that no gap looks like a pass.
    The store must be the files of this host: it is taken away too, and nobody else's may be.
    """
    if ports.settings.store:
        raise SpecError("conformance takes the store away, and this one is shared",
                        where="HOLDFAST_STORE", hint="unset it: the deaths need files of their own")
    found = faults(ports, suite)
    unknown = [name for name in (*drivers, *thorough) if name not in found]
    if unknown:
        raise SpecError(f"the suite has no fault of type '{unknown[0]}'", where="DRIVER",
                        hint=f"it has: {', '.join(found)}")
    ports.leases.environments()  # makes the store where there was none; from here on none is made
    mine = replace(ports, leases=SqliteLeases(ports.settings.live, create=False))
    outcomes = []
    for name in drivers or list(found):
        for cell in cells([name], thorough):
            outcomes.append(_outcome(mine, found[name], suite.target.environment, cell))
            told(outcomes[-1])
        outcomes[-1] = _with_users(ports, suite, outcomes[-1])
    return outcomes


def halting(settings: Settings, gap: str, environ: Mapping[str, str] | None = None) -> Keepers:
    """Keepers that stop themselves at a gap."""
    return LocalKeepers(settings, environ, ("holdfast.conformance.halting", "--at", gap))


def faults(ports: Ports, suite: Suite) -> dict[str, Fault]:
    """The first fault of each type."""
    found: dict[str, Fault] = {}
    for experiment in _experiments(suite):
        found.setdefault(experiment.fault.type, fault_of(ports, suite, experiment))
    return found


def _experiments(suite: Suite) -> Iterator[Experiment]:
    return (experiment for step in suite.rounds for experiment in step.experiments)


def _with_users(ports: Ports, suite: Suite, last: Outcome) -> Outcome:
    """After all deaths of a driver its users must be well again, whatever the driver says."""
    clock = ports.clock
    until = clock.boottime() + STEADY_SECONDS
    while True:
        samples = {o.name: (o, indicate.now(ports, suite, o)) for o in suite.objectives}
        wrong = [name for name, (o, sample) in samples.items()
                 if sample.value is None or not o.objective.holds(sample.value)]
        if not wrong:
            return last
        if clock.boottime() >= until:
            text = f"{', '.join(wrong)} still not as the suite wants after {STEADY_SECONDS:g} s"
            return replace(last, problems=(*last.problems, text))
        clock.sleep(1.0)


def _outcome(ports: Ports, fault: Fault, environment: str, cell: Cell) -> Outcome:
    mine = replace(ports, keepers=halting(ports.settings, cell.moment))
    trial = Trial(mine, fault, environment, cell)
    try:
        outcome = trial.run()
    except Postponed:
        raise  # somebody else's run has the environment: no death can be tried
    except HoldfastError as error:
        return Outcome(cell, problems=(*trial.problems, f"not tried to the end: {error}"))
    return replace(outcome, problems=tuple(trial.problems))
