"""connect: say where a target or a Prometheus is; the secrets go into a file of one's own."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

import typer

from holdfast.cli.border import border, out, settings
from holdfast.clients.connections import (
    connection,
    connection_ids,
    remove_connection,
    write_connection,
)
from holdfast.errors import SpecError

connector = typer.Typer()
_TYPES = {"http": "http", "https": "http", "postgresql": "postgres", "postgres": "postgres",
          "redis": "redis"}
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379}


@connector.command()
def connect(
    connection_id: Annotated[str, typer.Argument(metavar="[ID]", help="as suites name it")] = "",
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="http://, https://, postgresql:// or redis://")
    ] = "",
    password_file: Annotated[
        str, typer.Option(help="read the password from its first line; - is standard input")
    ] = "",
    node: Annotated[
        list[str], typer.Option(help="NAME=HOST:PORT of each server of a cluster; may be repeated")
    ] = [],
    extra: Annotated[list[str], typer.Option(help="KEY=VALUE, such as proxy=database")] = [],
    remove: Annotated[bool, typer.Option("--remove", help="forget the address of ID")] = False,
) -> None:
    """Write down an address under an id; without arguments, list those there are, no secrets."""
    with border():
        file = settings().connections
        if remove:
            _forget(file, connection_id, url)
            return
        if not connection_id and not url:
            for known in connection_ids(file):
                out.print(_shown(file, known), markup=False)
            return
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", connection_id):
            raise SpecError(f"'{connection_id}' is no id", where="ID",
                            hint="letters, digits, and _ . - between them, as suites name it")
        if url:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            entry = _entry(_parts(url), node, extra)
            if entry["login"]:
                entry["password"] = _password(password_file)
            write_connection(file, connection_id, entry)
        out.print(_shown(file, connection_id), markup=False)


def _forget(file: Path, connection_id: str, url: str) -> None:
    if not connection_id or url:
        raise SpecError("--remove takes an id and no address", where="--remove")
    remove_connection(file, connection_id)
    out.print(f"{connection_id}: forgotten", markup=False)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_port = parts.port != 0
    except ValueError as error:
        raise SpecError(f"no address or no port: {error}", where="URL") from error
    if not is_port:
        raise SpecError("no port: 0", where="URL", hint="1 to 65535")
    if parts.scheme not in _TYPES or not parts.hostname:
        raise SpecError(
            f"'{url.rpartition('@')[2]}' is no address", where="URL",
            hint="such as http://127.0.0.1:9090 or postgresql://login@127.0.0.1:5432/shop",
        )
    if parts.password is not None:
        raise SpecError(
            "an address with a password is seen by everybody on this machine", where="URL",
            hint="leave it out: it is asked for, or read from --password-file",
        )
    is_http = _TYPES[parts.scheme] == "http"
    lost = parts.query or parts.fragment or (parts.path.strip("/") if is_http else "")
    if lost:
        raise SpecError(
            "an address is scheme, login, host, port and for a database its name: the rest would "
            "be lost", where="URL",
            hint="--extra KEY=VALUE keeps what a target needs besides, such as sslmode=require",
        )
    return parts


def _entry(
    parts: SplitResult, nodes: Sequence[str], extra: Sequence[str]
) -> dict[str, object]:
    more: dict[str, object] = dict(_pair(text) for text in extra)
    if nodes:
        more["nodes"] = [_node(text) for text in nodes]
    is_http = _TYPES[parts.scheme] == "http"
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return {
        "conn_type": _TYPES[parts.scheme], "host": parts.hostname, "port": port,
        "login": unquote(parts.username or ""),
        "schema": parts.scheme if is_http else parts.path.strip("/"), "extra": more,
    }


def _pair(text: str) -> tuple[str, object]:
    key, is_there, value = text.partition("=")
    if not (key and is_there):
        raise SpecError(f"'{text}' is not KEY=VALUE", where="--extra")
    return key, value


def _node(text: str) -> dict[str, object]:
    match = re.fullmatch(r"([A-Za-z0-9_-]+)=(.+):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[3]) < 65536:
        raise SpecError(f"'{text}' is not NAME=HOST:PORT", where="--node")
    return {"name": match[1], "host": match[2], "port": int(match[3])}


def _password(file: str) -> str:
    """The first line of the file, or what a person types; it is never an argument."""
    if file == "-" or (not file and not sys.stdin.isatty()):
        return sys.stdin.readline().rstrip("\n")
    if file:
        try:
            return next(iter(Path(file).read_text().splitlines()), "")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SpecError(f"'{file}' cannot be read: {why}", where="--password-file",
                            hint="name a file with the password in its first line") from error
    return str(typer.prompt("password", hide_input=True, default="", show_default=False))


def _shown(file: Path, known: str) -> str:
    found = connection(file, known)
    login = f"{found.login}@" if found.login else ""
    kept = ", password kept" if found.password else ""
    names = "".join(f", {name}" for name in sorted(found.extra))
    return f"{known}: {found.type} {login}{found.host}:{found.port}{kept}{names}"
