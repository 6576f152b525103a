"""What a result says of each experiment, of the run as a whole, and so of each control."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.model.control import Control, Strength
from holdfast.model.verdict import Verdict
from holdfast.oscal.log import Basis
from holdfast.oscal.runs import Run, Signed
from holdfast.oscal.told import Check, ResultTold, Trial
from holdfast.oscal.words import uid

NOT_BY_RUNS = frozenset({Strength.PLATFORM, Strength.NONE})
"""No run shows anything of such a control."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An experiment, or the run's own checks where `trial` is None; `checks` did not hold."""

    name: str
    verdict: Verdict
    controls: Sequence[Control]
    checks: Sequence[Check]
    trial: Trial | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Experiment {self.name}" if self.trial else "The run as a whole"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a run has shown of a control at one service, and the units that say so."""

    control: Control
    service: str
    verdict: Verdict
    units: Sequence[Unit]


def units_of(told: ResultTold, basis: Basis) -> Sequence[Unit]:
    """Take a result apart, the whole last; a run that was postponed has shown nothing."""
    if told.is_postponed:
        return []
    return [*(_experiment(told, trial, basis) for trial in told.experiments), _whole(told, basis)]


def shown_by(told: ResultTold, basis: Basis) -> Iterator[Shown]:
    """Say of each service and each control named for it what has been shown.

    A service is as good as the worst of its experiments, and never better than the run as a whole.
    """
    units = units_of(told, basis)
    for service in services_of(told) if units else ():
        own = [u for u in units if u.trial and service_of(u.trial, told) == service]
        verdict, whole = Verdict.worst(unit.verdict for unit in own), units[-1]
        if whole.verdict > verdict:
            verdict, own = whole.verdict, [*own, whole]
        named = {c.name: c for unit in own for c in unit.controls}
        for _, control in sorted(named.items()):
            if control.strength not in NOT_BY_RUNS:
                yield Shown(control, service, verdict, own)


def services_of(told: ResultTold) -> Sequence[str]:
    """Name all that was hit."""
    return sorted({service_of(trial, told) for trial in told.experiments})


def service_of(trial: Trial, told: ResultTold) -> str:
    """Say what was hit; results of before services were signed say the environment only."""
    return trial.service or told.environment


def controls_of(run: Run, experiment: str = "") -> set[str]:
    """Name the controls that a run's latest start and result name; for one experiment, or all."""
    ways = [one.told for one in (*run.starts[-1:], *run.results[-1:])]
    trials = [t for one in run.results[-1:] for t in one.told.experiments
              if experiment in ("", t.name)]
    named = [*(way.controls for way in ways), *(trial.controls for trial in trials)]
    return {name.lower() for names in named for name in names}


def observation_uid(result: Signed[ResultTold], unit: Unit, check: str = "") -> str:
    """Name what was seen of a unit, or of one of its checks."""
    return uid("observation", result.log, result.index, unit.name, check)


def risk_uid(result: Signed[ResultTold], unit: Unit) -> str:
    """Name the risk that a broken unit has shown."""
    return uid("risk", result.log, result.index, unit.name)


def _experiment(told: ResultTold, trial: Trial, basis: Basis) -> Unit:
    checks = [check for check in told.findings if check.experiment == trial.name]
    controls = _known([*told.controls, *trial.controls], basis)
    return Unit(trial.name, trial.verdict, controls, checks, trial)


def _whole(told: ResultTold, basis: Basis) -> Unit:
    """Where the run's own verdict is not signed, it follows from its checks and the total."""
    names = {trial.name for trial in told.experiments}
    checks = [check for check in told.findings if check.experiment not in names]
    own = max((check.verdict for check in checks), default=Verdict.HELD)
    worst = Verdict.worst(trial.verdict for trial in told.experiments)
    total = told.verdict if told.verdict > worst else Verdict.HELD
    verdict = max(own, total) if told.whole is None else told.whole
    return Unit("", verdict, _known(told.controls, basis), checks)


def _known(names: Sequence[str], basis: Basis) -> list[Control]:
    wanted = {name.lower() for name in names}
    return [basis.controls[name] for name in sorted(wanted) if name in basis.controls]
