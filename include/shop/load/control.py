"""The load's own port: its figures, and how others raise its rate."""

import json

from aiohttp import web
from prometheus_client import generate_latest

from shop.load.figures import Figures
from shop.load.raises import BadRaise, Raises


class Control:
    """HTTP in front of one load."""

    def __init__(self, figures: Figures, raises: Raises, rate: float) -> None:
        self._figures, self._raises, self._rate = figures, raises, rate

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.add_routes([
            web.get("/metrics", self._metrics),
            web.get("/ready", self._ready),
            web.get("/raises", self._list),
            web.get("/raises/{mark}", self._show),
            web.put("/raises/{mark}", self._put),
            web.delete("/raises/{mark}", self._delete),
        ])
        return app

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._figures.registry), content_type="text/plain")

    async def _ready(self, _request: web.Request) -> web.Response:
        ok = self._figures.ok
        return web.json_response({"ok": ok}, status=200 if ok else 503)

    async def _list(self, _request: web.Request) -> web.Response:
        rate = self._rate * self._raises.factor()
        return web.json_response({"raises": self._raises.as_json(), "rate": rate})

    async def _show(self, request: web.Request) -> web.Response:
        found = self._raises.show(request.match_info["mark"])
        if found is None:
            raise _refusal(web.HTTPNotFound, "no raise with this mark")
        return web.json_response(found)

    async def _put(self, request: web.Request) -> web.Response:
        mark = request.match_info["mark"]
        try:
            self._raises.put(mark, await request.json())
        except BadRaise as error:
            raise _refusal(web.HTTPBadRequest, str(error)) from error
        except ValueError as error:
            raise _refusal(web.HTTPBadRequest, f"not JSON: {error}") from error
        return await self._show(request)

    async def _delete(self, request: web.Request) -> web.Response:
        if not self._raises.delete(request.match_info["mark"]):
            raise _refusal(web.HTTPNotFound, "no raise with this mark")
        return web.Response(status=204)


def _refusal(kind: type[web.HTTPException], text: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": text}), content_type="application/json")
