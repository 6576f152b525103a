"""Which contract tests share a bench: those of a family of drivers, else all of a file."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group them, so that workers share out the families and no bench (`--dist loadgroup`)."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            called = getattr(item, "callspec", None)
            name = str(called.params.get("name", "")) if called else ""
            group = f"{item.path.stem}-{name.partition('.')[0]}" if name else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))
