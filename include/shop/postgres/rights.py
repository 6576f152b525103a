"""Run PostgreSQL's programs as a user it accepts: it refuses to start for uid 0."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from shop.binaries import postgres_program, program

_NOBODY = 65534


def command(name: str, *arguments: str) -> list[str]:
    """The command line of a PostgreSQL program.

    Root becomes `nobody` and keeps one capability, the right to pass folders that others may not
    enter: a checkout often lies below a home of mode 0700. Anybody else runs it directly.
    """
    line = [postgres_program(name), *arguments]
    if os.geteuid() != 0:
        return line
    return [
        program("setpriv"),
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--",
        *line,
    ]


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see: nothing of the caller's PG* variables, no locale."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def hand_over(paths: Sequence[Path]) -> None:
    """Give files to the user PostgreSQL runs as."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, _NOBODY, _NOBODY)
