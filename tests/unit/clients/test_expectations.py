"""great-expectations takes seconds to load: only the task that needs it does so (R6)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast

ROOT = Path(holdfast.__file__).parent
HEAVY = "great_expectations"


def at_import(tree: ast.AST) -> list[str]:
    """Modules that a file names outside of its functions."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found += at_import(node)
    return found


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_loads_it_at_import(file):
    assert [] == [name for name in at_import(ast.parse(file.read_text())) if HEAVY in name]


def test_only_one_file_names_it():
    files = [file for file in ROOT.rglob("*.py") if HEAVY in file.read_text()]
    assert [ROOT / "clients" / "expectations.py"] == files


def test_the_step_and_its_checkers_come_without_it():
    program = (
        "import sys, holdfast.steps.check; from holdfast.spec.rules import installed; "
        "[getattr(c, 'params', None) or c.options for c in installed().checkers.values()]; "
        f"sys.exit('{HEAVY}' in sys.modules or 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert 0 == done.returncode
