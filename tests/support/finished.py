"""A suite run by the command in a whole deployment, to its end."""

import json
import re
from typing import Any

from support.lab import Asked, Lab


def finished(lab: Lab, *words: str) -> tuple[int, str, Any]:
    """Run a suite by the command; its exit code, what it said, and the run."""
    done = lab.command("run", *words)
    said = done.stdout + done.stderr
    named = re.search(r"^run (\S+)--(\S+)$", done.stdout, re.MULTILINE)
    return done.returncode, said, named and Asked(lab, named[1], named[2])


def artefact(lab: Lab, run: Any, name: str) -> Any:
    """One of its artefacts, JSON."""
    kept = next(a for a in lab.ports.artefacts.of(run.id) if a.name == name)
    return json.loads(lab.ports.artefacts.path(kept).read_bytes())
