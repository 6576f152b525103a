"""`holdfast evidence serve`: the retrieval API and its pages on loopback, for who has the token."""

import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from holdfast.cli.border import border, out, settings
from holdfast.errors import SpecError
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.web.access import Require, Visitor
from holdfast.web.evidence import create_api
from holdfast.wiring import ports as wired

TOKEN_BYTES = 32


def serve(port: int) -> None:
    """Serve until it is ended; the token is in a file of mode 0600. Port 0 takes a free one."""
    with border():
        where = settings()
        made = wired(where)
        token = token_of(where)
        app = serving(lambda: made, token)
        listening = uvicorn.Server(uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
        socket = listening.config.bind_socket()
        address = f"http://127.0.0.1:{socket.getsockname()[1]}/evidence/v1"
        out.print(f"address  {address}\ntoken    in {token_file(where)}\n"
                  f'try      curl -H "Authorization: Bearer $(cat {token_file(where)})" '
                  f"{address}/checkpoint", markup=False)
        listening.run(sockets=[socket])


def serving(made: Callable[[], Ports], token: str) -> FastAPI:
    """The API at its address, for whoever sends the token."""
    def visitor(authorization: Annotated[str, Header()] = "") -> Visitor:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "send the token: Authorization: Bearer ...",
                                {"WWW-Authenticate": "Bearer"})
        return Visitor("the token's holder", set, lambda _: False)

    require = Require(visitor, visitor, visitor, lambda _: "", token.encode)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/evidence/v1", create_api(made, require))
    return app


def token_of(where: Settings) -> str:
    """Read the token; it is made where there is none. SpecError if others may read it."""
    place = token_file(where)
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.touch(0o600)
        place.write_text(secrets.token_urlsafe(TOKEN_BYTES))
    if place.stat().st_mode & 0o077:
        raise SpecError("others may read the token", where=str(place), hint=f"chmod 600 {place}")
    return place.read_text().strip()


def token_file(where: Settings) -> Path:
    """Where the token is."""
    return where.keys / "api.token"
