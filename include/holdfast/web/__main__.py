"""The retrieval API on loopback without Airflow, for who has the token.

`python -m holdfast.web HOME EXPERIMENTS STORE PORT`; `holdfast evidence serve` starts it.
"""

import hmac
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from holdfast.errors import HoldfastError, SpecError
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.stores._files import write_durably
from holdfast.web.access import Require, Visitor
from holdfast.web.evidence import create_api
from holdfast.wiring import ports as wired

_TOKEN_BYTES = 32


def main(arguments: Sequence[str]) -> int:
    """Serve until it is ended."""
    home, experiments, store, port = arguments
    where = Settings(Path(home), Path(experiments), store=store)
    try:
        made, token = wired(where), token_of(where)
        server = uvicorn.Server(uvicorn.Config(
            served(lambda: made, token), host="127.0.0.1", port=int(port), log_level="warning",
            access_log=False))
        socket = server.config.bind_socket()
    except HoldfastError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return error.exit_code
    address = f"http://127.0.0.1:{socket.getsockname()[1]}/evidence/v1"
    file = token_file(where)
    print(f"address  {address}\ntoken    in {file}\ntry      "
          f'curl -H "Authorization: Bearer $(cat {file})" {address}/checkpoint', flush=True)
    server.run(sockets=[socket])
    return 0


def served(made: Callable[[], Ports], token: str) -> FastAPI:
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
    """Read the token; it is made where there is none. SpecError if others may read or guess it."""
    place = token_file(where)
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(place, secrets.token_urlsafe(_TOKEN_BYTES).encode())
    if place.stat().st_mode & 0o077:
        raise SpecError("others may read the token", where=str(place), hint=f"chmod 600 {place}")
    token = place.read_text().strip()
    if len(token) < _TOKEN_BYTES:
        raise SpecError("it holds no token that is long enough", where=str(place),
                        hint=f"rm {place}: a new one is made")
    return token


def token_file(where: Settings) -> Path:
    """Where the token is."""
    return where.keys / "api.token"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
