"""What is meant to keep a service up, and where it can be seen."""

from collections.abc import Iterator

from holdfast.model.mechanism import MechanismSpec
from holdfast.model.params import read_params
from holdfast.model.suite import Suite
from holdfast.ports.mechanisms import Mechanism, Need
from holdfast.spec.problems import Place, Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole


@rule
def mechanism_type_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a judge for each mechanism."""
    for name, spec in suite.mechanisms.items():
        if spec.type not in known.mechanisms:
            hint = nearest(spec.type, known.mechanisms)
            place = ("mechanisms", name, "type")
            yield Problem(place, f"unknown mechanism type '{spec.type}'", hint)


@rule
def mechanism_params_fit(suite: Suite, known: Known) -> Iterator[Problem]:
    """Parameters are those of the judge, typed and within its bounds."""
    for place, spec, judge in _judged(suite, known):
        for wrong in read_params(spec.params, judge.params)[1]:
            hint = wrong.hint or nearest(wrong.name, judge.params) or "it takes none"
            yield Problem((*place, "params", wrong.name), wrong.text, hint, on_key=not wrong.known)


@rule
def mechanism_indicators_are_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """A series goes under a name that the judge looks for."""
    for place, spec, judge in _judged(suite, known):
        for name in spec.indicators:
            if name not in judge.indicators and not judge.others:
                hint = nearest(name, judge.indicators) or "it takes none"
                here = (*place, "indicators", name)
                yield Problem(here, f"unknown indicator '{name}'", hint, on_key=True)


@rule
def mechanism_history_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """A history is there, and is read."""
    for place, spec, judge in _judged(suite, known):
        here = (*place, "history")
        if spec.history is None:
            continue
        if not judge.reads_history:
            yield Problem(here, f"{spec.type} reads no history", "leave it out")
        elif spec.history not in suite.target.histories:
            named = nearest(spec.history, suite.target.histories)
            hint = named or "target.histories has none"
            yield Problem(here, f"unknown history '{spec.history}'", hint)


@rule_of_whole
def mechanism_can_be_seen(suite: Suite, known: Known) -> Iterator[Problem]:
    """Whatever the judge cannot do without is there."""
    for place, spec, judge in _judged(suite, known):
        for name, indicator in judge.indicators.items():
            if name not in spec.indicators and _is_needed(indicator.need, spec):
                beside = ", or a history" if indicator.need is Need.WITHOUT_HISTORY else ""
                yield Problem(place, f"{spec.type} needs the indicator '{name}'{beside}",
                              indicator.meaning)
        if judge.others and spec.history is None and not spec.indicators.keys() - judge.indicators:
            yield Problem(place, f"{spec.type} needs a history, or indicators of your own",
                          judge.others)


@rule
def expected_mechanisms_exist(suite: Suite, _: Known) -> Iterator[Problem]:
    """An experiment expects mechanisms of its suite."""
    for place, experiment in experiments(suite):
        for index, name in enumerate(experiment.expect.mechanisms):
            if name not in suite.mechanisms:
                hint = nearest(name, suite.mechanisms) or "the suite has no mechanisms"
                here = (*place, "expect", "mechanisms", index)
                yield Problem(here, f"unknown mechanism '{name}'", hint)


@rule_of_whole
def mechanisms_are_expected(suite: Suite, _: Known) -> Iterator[Problem]:
    """No mechanism is left to itself: one that no experiment expects is never judged."""
    expected = {n for _, e in experiments(suite) for n in e.expect.mechanisms}
    for name in suite.mechanisms:
        if name not in expected:
            yield Problem(("mechanisms", name), f"no experiment expects '{name}'",
                          "name it in an experiment's expect.mechanisms", on_key=True)


def _judged(suite: Suite, known: Known) -> Iterator[tuple[Place, MechanismSpec, Mechanism]]:
    for name, spec in suite.mechanisms.items():
        if spec.type in known.mechanisms:
            yield ("mechanisms", name), spec, known.mechanisms[spec.type]


def _is_needed(need: Need, spec: MechanismSpec) -> bool:
    return need is Need.ALWAYS or (need is Need.WITHOUT_HISTORY and spec.history is None)
