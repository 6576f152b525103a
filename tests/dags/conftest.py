"""Airflow in a home of its own, set up before anything here imports it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.airflow import bag, migrate, own_home

ROOT = own_home()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds `dags/` and `experiments/`."""
    return ROOT


@pytest.fixture(scope="session")
def airflow_db() -> Iterator[None]:
    """The metadata database, once for all tests of the session."""
    migrate()
    yield
    from airflow import settings

    settings.dispose_orm(do_log=False)


@pytest.fixture(scope="session")
def dags(root: Path, airflow_db: None) -> Any:
    """Every DAG of the folder, synchronised to the database."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import sync_bag_to_db

    found = bag(root / "dags")
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(found, "dags-folder", None)
    return found
