"""What every address of the pages needs: headers, the visitor, small forms that are one's own."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from holdfast.web.access import Require, Visitor, has_own_credentials, is_same_origin, is_token
from holdfast.web.pages import Place

COMMON = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_PAGE = COMMON | {"Cache-Control": "no-store", "Content-Security-Policy": (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)}
_LONGEST_FORM = 4096


def page(text: str, status: int = 200) -> HTMLResponse:
    """Answer with a page of ours, which may load nothing of anybody else's."""
    return HTMLResponse(text, status, dict(_PAGE))


def visitor_of(request: Request) -> Visitor:
    """Who asks; the check of access has left it there."""
    visitor: Visitor = request.state.visitor
    return visitor


def place_of(request: Request, run: str = "") -> Place:
    """Where the pages are mounted."""
    return Place(str(request.scope.get("root_path", "")), run)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a small form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise HTTPException(413, "the form is too long")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def expect_own_form(
    require: Require, request: Request, now: datetime, about: str, form: Mapping[str, str]
) -> None:
    """Refuse what another page made the visitor's browser send."""
    if not is_same_origin(request.headers):
        raise HTTPException(403, "this was asked by a page of another origin")
    name, token = visitor_of(request).name, form.get("token", "")
    own = is_token(token, require.secret(), name, about, now.timestamp())
    if not own and not has_own_credentials(request.headers):
        raise HTTPException(403, "the form is too old, or not yours: reload the page")
