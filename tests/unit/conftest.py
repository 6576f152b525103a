"""How laws are tried: a busy machine is no reason to fail."""

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture
def quick_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no PDF: each takes seconds, and other tests look at real ones."""
    for place in ("pdf", "_drawn"):
        monkeypatch.setattr(f"holdfast.reports.{place}.drawn", lambda _: b"%PDF-")
