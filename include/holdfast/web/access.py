"""Who may see the pages, who may stop a run, and that a stop was pressed here and nowhere else."""

import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TOKEN_SECONDS = 12 * 3600
"""How long a page may have been open when its stop button is pressed."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in. `readable` gives those of some suites that they may see."""

    name: str
    readable: Callable[[Collection[str]], Collection[str]]
    may_stop: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Require:
    """FastAPI dependencies that give a Visitor, or answer 401 or 403 themselves.

    `read` and `stop` look at the path's `dag_id`. `login_page` gives the address of the login page
    that comes back to an address; `secret` signs what a page's form proves, the same in all
    processes that serve the pages.
    """

    login: Callable[..., Any]
    read: Callable[..., Any]
    stop: Callable[..., Any]
    login_page: Callable[[str], str]
    secret: Callable[[], bytes]


def form_token(secret: bytes, visitor: str, run_id: str, now: float) -> str:
    """What a form carries to show that this server gave it to this person for this run."""
    expires = round(now) + TOKEN_SECONDS
    return f"{expires}.{_signature(secret, expires, visitor, run_id)}"


def is_token(token: str, secret: bytes, visitor: str, run_id: str, now: float) -> bool:
    """Whether the token is this person's, for this run, and not too old."""
    expires, _, signature = token.partition(".")
    if not re.fullmatch(r"[0-9]{1,15}", expires) or int(expires) < now:
        return False
    own = _signature(secret, int(expires), visitor, run_id)
    return hmac.compare_digest(signature.encode(errors="replace"), own.encode())


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that one of our own pages asked; True where it says nothing.

    A cookie is sent from every port of a host, so `SameSite` does not tell pages apart there.
    """
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def has_own_credentials(headers: Mapping[str, str]) -> bool:
    """Whether the request names its credentials itself, which no foreign page can make it do."""
    return headers.get("authorization", "").lower().startswith("bearer ")


def _signature(secret: bytes, *parts: object) -> str:
    text = json.dumps(["holdfast stop", *parts])  # no part can run over into the next
    return hmac.new(secret, text.encode(), "sha256").hexdigest()
