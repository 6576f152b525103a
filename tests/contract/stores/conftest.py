"""The stores, each on files and on a server that machines share."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from holdfast.settings import Settings
from support.server import StoreServer


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    server = StoreServer(tmp_path_factory.mktemp("store") / "data")
    try:
        server.build()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["files", "server"])
def settings(request: pytest.FixtureRequest, tmp_path: Any) -> Settings:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if request.param == "files":
        return Settings(home, home / "experiments")
    server: StoreServer = request.getfixturevalue("store_server")
    server.clear()
    return server.settings(home)


@pytest.fixture
def tamper(settings: Settings, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Change the store behind everybody's back."""

    def act(statement: str) -> None:
        if settings.store:
            request.getfixturevalue("store_server").ask(statement)
            return
        file = settings.live if "environments" in statement else settings.books
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            db.execute(statement)

    return act
