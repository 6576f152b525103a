"""The order of these tests."""

import pytest

FIRST = "test_mechanisms"
"""One long test alone in its file: begun first, it keeps nobody waiting in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in their order, but for the first; wants `--no-loadscope-reorder` with xdist."""
    items.sort(key=lambda item: item.path.stem != FIRST)
