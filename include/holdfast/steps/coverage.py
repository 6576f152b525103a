"""How the controls of a framework stand, by the signed results of this deployment's runs."""

from collections.abc import Sequence

from holdfast.controls.coverage import coverage
from holdfast.errors import SpecError
from holdfast.model.control import Standing
from holdfast.ports.bundle import Ports
from holdfast.spec.excluded import load_excluded
from holdfast.spec.problems import nearest
from holdfast.steps.catalogues import catalogue


def standings(
    ports: Ports, framework: str, days: int, service: str = ""
) -> Sequence[Standing]:
    """How a framework's controls stand now; of one service, where it is named.

    SpecError for a framework or a service that nobody knows.
    """
    known = catalogue()
    own = [c for c in known.values() if c.framework == framework]
    if not own:
        frameworks = sorted({c.framework for c in known.values()})
        raise SpecError(f"unknown framework '{framework}'", where="--framework",
                        hint=nearest(framework, frameworks))
    excluded = load_excluded(ports.settings.experiments, known)
    if service and service not in (services := ports.shown.services()):
        raise SpecError(f"no run has hit a service '{service}'", where="--service",
                        hint=nearest(service, services))
    results = ports.shown.results([c.name for c in own], service)
    return coverage(own, results, ports.clock.now(), days, excluded)
