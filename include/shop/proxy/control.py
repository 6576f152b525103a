"""The proxy's control API: the part of Toxiproxy's that the shop and its faults use."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from shop.proxy.server import Proxy
from shop.proxy.toxics import KINDS, BadToxic, Toxic


class Control:
    """HTTP in front of the proxies, by name."""

    def __init__(self, proxies: Mapping[str, Proxy]) -> None:
        self._proxies = proxies

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.add_routes([
            web.get("/version", self._version),
            web.get("/metrics", self._metrics),
            web.get("/proxies", self._list),
            web.get("/proxies/{proxy}", self._show),
            web.post("/proxies/{proxy}", self._change),
            web.get("/proxies/{proxy}/toxics", self._toxics),
            web.post("/proxies/{proxy}/toxics", self._add),
            web.get("/proxies/{proxy}/toxics/{toxic}", self._toxic),
            web.delete("/proxies/{proxy}/toxics/{toxic}", self._remove),
        ])
        return app

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": "shop", "toxics": list(KINDS)})

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = "".join(proxy.toxics.metrics() for proxy in self._proxies.values())
        return web.Response(text=text, content_type="text/plain")

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({name: p.as_json() for name, p in self._proxies.items()})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._proxy(request).as_json())

    async def _change(self, request: web.Request) -> web.Response:
        proxy, body = self._proxy(request), await _body(request)
        if "upstream" in body:
            upstream = str(body["upstream"])
            host, _, port = upstream.rpartition(":")
            if not host or not port.isdigit():
                raise _refusal(web.HTTPBadRequest, f"upstream {upstream!r} is not host:port")
            proxy.point((host, int(port)))
        if "enabled" in body:
            proxy.enabled = bool(body["enabled"])
            await proxy.obey()
        return web.json_response(proxy.as_json())

    async def _toxics(self, request: web.Request) -> web.Response:
        active = self._proxy(request).toxics.active
        return web.json_response([toxic.as_json() for toxic in active.values()])

    async def _add(self, request: web.Request) -> web.Response:
        proxy = self._proxy(request)
        try:
            toxic = Toxic.parse(await _body(request))
        except BadToxic as error:
            raise _refusal(web.HTTPBadRequest, str(error)) from error
        if toxic.name in proxy.toxics.active:
            raise _refusal(web.HTTPConflict, f"toxic {toxic.name!r} already exists")
        proxy.toxics.add(toxic, asyncio.get_running_loop().time())
        await proxy.obey()
        return web.json_response(toxic.as_json())

    async def _toxic(self, request: web.Request) -> web.Response:
        toxic = self._proxy(request).toxics.active.get(request.match_info["toxic"])
        if toxic is None:
            raise _refusal(web.HTTPNotFound, "toxic not found")
        return web.json_response(toxic.as_json())

    async def _remove(self, request: web.Request) -> web.Response:
        proxy = self._proxy(request)
        if not proxy.toxics.remove(request.match_info["toxic"]):
            raise _refusal(web.HTTPNotFound, "toxic not found")
        await proxy.obey()
        return web.Response(status=204)

    def _proxy(self, request: web.Request) -> Proxy:
        proxy = self._proxies.get(request.match_info["proxy"])
        if proxy is None:
            raise _refusal(web.HTTPNotFound, "proxy not found")
        return proxy


async def _body(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError as error:
        raise _refusal(web.HTTPBadRequest, f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _refusal(web.HTTPBadRequest, "expected a JSON object")
    return body


def _refusal(kind: type[web.HTTPException], text: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": text}), content_type="application/json")
