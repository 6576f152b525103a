"""Compare with a file kept in tests/golden; `GOLDEN=write pytest ...` writes it anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"


def agrees(name: str, text: str) -> bool:
    """Whether the text is the one that was kept."""
    file = FOLDER / name
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert file.read_text() == text
    return True
