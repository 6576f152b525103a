"""axe-core for tests: fetched once from the npm registry, checked, and kept in a cache folder."""

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from support.chromium import Tab

VERSION = "4.14.1"
DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_CACHE = Path.home() / ".cache" / "holdfast-tests"


def axe() -> str:
    """Its script; the test is skipped, with the reason, where it cannot be had."""
    kept = _CACHE / f"axe-{VERSION}.js"
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_fetched())
    script = kept.read_bytes()
    assert DIGEST == hashlib.sha256(script).hexdigest(), f"{kept} is not axe-core {VERSION}"
    return script.decode()


def _fetched() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: axe-core cannot be fetched")
    done = subprocess.run(
        [npm, "pack", "--silent", f"axe-core@{VERSION}"], cwd=_CACHE, capture_output=True,
        text=True, check=False, timeout=120,
    )
    if done.returncode:
        pytest.skip(f"npm cannot fetch axe-core: {done.stderr.strip()[:200]}")
    package = _CACHE / done.stdout.strip()
    with tarfile.open(fileobj=io.BytesIO(package.read_bytes())) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        found = file.read()
    package.unlink()
    return found


async def troubles(tab: Tab, script: str) -> list[str]:
    """What axe finds wrong with the page that the tab shows."""
    await tab.run(f"{script};true")
    found: list[str] = await tab.run(
        "axe.run(document).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map("
        "n => n.html + ' ' + n.failureSummary).join('; ')))"
    )
    return found
