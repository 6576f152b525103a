"""The deployment as Airflow's configuration describes it."""

import os
from functools import cache
from pathlib import Path

from airflow.sdk import conf

from holdfast.ports.bundle import Ports
from holdfast.settings import Settings

_NAMES = {"home": "HOLDFAST_HOME", "experiments": "HOLDFAST_EXPERIMENTS"}


def settings() -> Settings:
    """Read `[holdfast]` of Airflow's configuration; what it leaves open comes from `HOLDFAST_*`."""
    values = dict(os.environ)  # noqa: TID251 - a border that builds Settings
    for option, name in _NAMES.items():
        configured = str(conf.get("holdfast", option, fallback="") or "")
        if configured:
            values[name] = configured
    return Settings.of(values, Path.cwd())


@cache
def ports() -> Ports:
    """Give this process its adapters, made at the first call."""
    from holdfast import wiring

    return wiring.ports(settings())
