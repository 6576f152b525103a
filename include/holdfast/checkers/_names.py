"""Tables and columns as a suite's author names them, and as PostgreSQL reads them."""

from typing import Annotated

from pydantic import Field

_WORD = "[A-Za-z_][A-Za-z0-9_]{0,62}"

Table = Annotated[str, Field(pattern=rf"^({_WORD}\.)?{_WORD}$")]
Column = Annotated[str, Field(pattern=rf"^{_WORD}$")]


def quoted(name: str) -> str:
    """Quote each part of a checked name: it means what the database has, letter case and all."""
    return ".".join(f'"{part}"' for part in name.split("."))
