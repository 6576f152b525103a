"""The border of the command line: every error becomes one sentence and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console

from holdfast.errors import HoldfastError
from holdfast.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def border() -> Iterator[None]:
    """Turn what Holdfast says about itself into a message and its exit code; never a traceback."""
    try:
        yield
    except HoldfastError as error:
        say_error(str(error))
        raise typer.Exit(error.exit_code) from error
    except (OSError, ValueError) as error:
        say_error(f"{type(error).__name__}: {error}")
        raise typer.Exit(1) from error


def say_error(text: str) -> None:
    """Write to standard error, plainly."""
    err.print(f"holdfast: {text}", style="red" if sys.stderr.isatty() else None, markup=False)


def settings() -> Settings:
    """Read the environment; the command line's one look at it."""
    import os

    return Settings.of(os.environ, Path.cwd())  # noqa: TID251 - one of the two places
