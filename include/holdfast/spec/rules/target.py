"""Where the target is."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from holdfast.model.own import is_own_path
from holdfast.model.suite import Suite
from holdfast.spec.letters import foreign
from holdfast.spec.problems import Place, Problem
from holdfast.spec.rules._base import Known, rule, rule_of_whole

_LONGEST_NAME = 255


@rule_of_whole
def service_has_an_address(suite: Suite, _: Known) -> Iterator[Problem]:
    """A service can be found."""
    for name, selector in suite.target.services.items():
        if not selector.model_dump(exclude_none=True):
            yield Problem(
                ("target", "services", name), f"service '{name}' has no address",
                f"one of: {', '.join(type(selector).model_fields)}",
            )


@rule
def addresses_stay_outside(suite: Suite, _: Known) -> Iterator[Problem]:
    """Addresses and secrets are in connections; a suite names their ids."""
    for place, value in _connection_ids(suite):
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
            shown = re.split("[?=]", value.rpartition("@")[2])[0]  # no password, wherever it is
            hint = foreign(value) or "addresses are in connections"
            yield Problem(place, f"'{shown}' is no connection", hint)


def _connection_ids(suite: Suite) -> Iterator[tuple[Place, str]]:
    yield ("target", "prometheus"), suite.target.prometheus
    for name, selector in suite.target.services.items():
        for kind in ("postgres", "proxy", "http", "tls", "load"):
            value = getattr(selector, kind)
            if value is not None:
                yield ("target", "services", name, kind), value
    yield from (
        (("target", "histories", name, "postgres"), history.postgres)
        for name, history in suite.target.histories.items() if history.postgres is not None
    )
    yield from (
        (("target", "workloads", index, "postgres" if workload.postgres else "redis"), named)
        for index, workload in enumerate(suite.target.workloads) if (named := workload.connection)
    )
    for index, objective in enumerate(suite.objectives):
        for kind in ("http", "sql"):
            value = getattr(objective.indicator, kind)
            if value is not None:
                yield ("objectives", index, "indicator", kind), value


@rule
def paths_stay_inside(suite: Suite, _: Known) -> Iterator[Problem]:
    """Pid files, other files of a service and histories are below the state folder."""
    for place, path in _paths(suite):
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            yield Problem(place, f"'{path}' leads out of the state folder", "give a path below it")
        elif place[-1] != "process" and is_own_path(path):
            yield Problem(place, f"'{path}' is Holdfast's own", "give a file of the target's")


@rule
def paths_can_be_looked_up(suite: Suite, _: Known) -> Iterator[Problem]:
    """No name is longer than Linux takes, and a pattern is one that is looked for once."""
    for place, path in _paths(suite):
        parts = PurePosixPath(path).parts
        if any(len(part.encode()) > _LONGEST_NAME for part in parts):
            yield Problem(place, f"'{path}' has a name of more than {_LONGEST_NAME} bytes",
                          "no file has such a name")
        elif place[-1] == "process" and path.count("**") != min(parts.count("**"), 1):
            yield Problem(place, f"'{path}' is no pattern",
                          "** stands alone between slashes, for any number of folders, once")


def _paths(suite: Suite) -> list[tuple[Place, str]]:
    paths: list[tuple[Place, str]] = [
        (("target", "services", name, kind), path)
        for name, selector in suite.target.services.items()
        for kind in ("process", "environment", "disk", "audit")
        if (path := getattr(selector, kind)) is not None
    ]
    paths += [
        (("target", "histories", name, "file"), history.file)
        for name, history in suite.target.histories.items()
    ]
    return paths
