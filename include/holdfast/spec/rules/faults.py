"""What is broken, and where."""

from collections.abc import Iterator

from holdfast.model.own import is_own_process
from holdfast.model.params import read_params
from holdfast.model.suite import Suite
from holdfast.spec.problems import Problem, nearest
from holdfast.spec.rules._base import Known, experiments, rule, rule_of_whole


@rule
def service_exists(suite: Suite, _: Known) -> Iterator[Problem]:
    """A fault's target is one of the services."""
    for place, experiment in experiments(suite):
        target = experiment.fault.target
        if target not in suite.target.services:
            hint = nearest(target, suite.target.services)
            yield Problem((*place, "fault", "target"), f"unknown service '{target}'", hint)


@rule
def fault_type_is_known(suite: Suite, known: Known) -> Iterator[Problem]:
    """There is a driver for each fault."""
    for place, experiment in experiments(suite):
        kind = experiment.fault.type
        if kind not in known.drivers:
            hint = nearest(kind, known.drivers)
            yield Problem((*place, "fault", "type"), f"unknown fault type '{kind}'", hint)


@rule
def fault_params_fit(suite: Suite, known: Known) -> Iterator[Problem]:
    """Parameters are those of the driver, typed and within its bounds."""
    for place, experiment in experiments(suite):
        if experiment.fault.type not in known.drivers:
            continue
        settings = known.drivers[experiment.fault.type].params
        for wrong in read_params(experiment.fault.params, settings)[1]:
            hint = wrong.hint or nearest(wrong.name, settings) or "it takes none"
            yield Problem(
                (*place, "fault", "params", wrong.name), wrong.text, hint, on_key=not wrong.known
            )


@rule_of_whole
def selector_has_the_address(suite: Suite, known: Known) -> Iterator[Problem]:
    """The service has the kind of address that the driver needs."""
    for place, experiment in experiments(suite):
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


@rule
def holdfast_is_no_target(suite: Suite, _: Known) -> Iterator[Problem]:
    """No fault hits the store, Airflow or the Prometheus that the guard depends on."""
    for place, experiment in experiments(suite):
        service = suite.target.services.get(experiment.fault.target)
        if service is None:
            continue
        connections = (
            service.http, service.proxy, service.postgres, service.tls, service.load,
        )
        own = service.process is not None and is_own_process(service.process)
        if own or suite.target.prometheus in connections:
            yield Problem(
                (*place, "fault", "target"),
                f"service '{experiment.fault.target}' carries Holdfast itself",
                "who watches a fault must not be hit by it",
            )


@rule
def one_round_hits_a_target_once(suite: Suite, _: Known) -> Iterator[Problem]:
    """Faults side by side differ in type or in target."""
    seen: dict[tuple[int, str, str], str] = {}
    for place, experiment in experiments(suite):
        key = (place[1], experiment.fault.type, experiment.fault.target)
        if key in seen:
            yield Problem(
                (*place, "fault", "target"),
                f"'{seen[key]}' has the same fault on '{experiment.fault.target}' in this round",
                "move one of them to another round",
            )
        seen.setdefault(key, experiment.name)
