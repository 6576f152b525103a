"""The keeper pays for a driver's import: no heavy library may come with it."""

import subprocess
import sys

import pytest

from holdfast.registry import Registry

_HEAVY = "{'pydantic', 'psycopg', 'psutil', 'sqlalchemy', 'airflow', 'aiohttp'}"


@pytest.mark.parametrize("name", list(Registry[object]("faults", "DRIVER")))
def test_a_driver_brings_nothing_heavy(name: str) -> None:
    look = (
        "import sys; from holdfast.registry import Registry;"
        f"Registry('faults', 'DRIVER')['{name}']; print({_HEAVY} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
