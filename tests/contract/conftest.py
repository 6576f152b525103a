"""Which contract tests stay together: those of a file share its bench.

Those of the drivers need not: every worker has a bench for the whole session.
"""

import pytest

APART = "test_fault_drivers"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group them for `--dist loadgroup`."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None and item.path.stem != APART:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
