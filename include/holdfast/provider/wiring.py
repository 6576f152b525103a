"""The deployment as Airflow's configuration describes it."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from airflow.sdk import conf

from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.settings import commands as allowed

_NAMES = {
    "home": "HOLDFAST_HOME", "experiments": "HOLDFAST_EXPERIMENTS",
    "commands": "HOLDFAST_COMMANDS", "store": "HOLDFAST_STORE",
}


def settings() -> Settings:
    """Read `[holdfast]` of Airflow's configuration; what it leaves open comes from `HOLDFAST_*`."""
    return Settings.of(_values(), Path.cwd())


def commands() -> Mapping[str, str]:
    """Read the programs that suites may have run, where nothing else of the settings is needed."""
    return allowed(_values().get("HOLDFAST_COMMANDS", ""))


def _values() -> dict[str, str]:
    values = dict(os.environ)  # noqa: TID251 - a border that builds Settings
    for option, name in _NAMES.items():
        configured = str(conf.get("holdfast", option, fallback="") or "")
        if configured:
            values[name] = configured
    return values


@cache
def ports() -> Ports:
    """Give this process its adapters, made at the first call."""
    from holdfast import wiring

    return wiring.ports(settings())
