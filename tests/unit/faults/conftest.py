"""A tree of processes that a supervisor keeps, for the faults that kill."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.model.fault import Fault
from support.trees import Kept, Tree


class Home:
    """A state folder with one tree under the demo shop's supervisor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = Tree(folder, "app-1")
        self.kept = Kept(folder, [self.tree])

    @property
    def root(self) -> int:
        """Who the pid file names."""
        return int((self.folder / "run" / "app-1.pid").read_text())

    def fault(self, name: str, **params: float) -> Fault:
        """A fault on the tree."""
        selector = {"process": "run/app-*.pid", "environment": "env/app-1.env"}
        home, duration = str(self.folder), timedelta(seconds=5)
        return Fault(name, "app", selector, home, duration, params=params)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    made.kept.start()
    yield made
    made.kept.stop()
