"""Decide which node is the primary, and lead the proxy to it.

`python -m shop.postgres.controller HOME`. A fail-over writes the decision first, then fences the
old primary, then promotes: a controller that dies in between is finished by the next one.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path

import aiohttp
import psycopg
from aiohttp import web

from shop import processes
from shop.postgres.cluster import Cluster
from shop.postgres.probe import Answer, Probe
from shop.postgres.synchronous import Synchronous, wait_for
from shop.settled import HOST, NODES, PROXY, Settled, other

_POLL_SECONDS = 0.25
_LIMIT_SECONDS = 0.5
MISSES = 3


class Controller:
    """The watch over two nodes."""

    def __init__(self, shop: Settled, http: aiohttp.ClientSession) -> None:
        self._shop, self._http = shop, http
        self._probes = {
            node: Probe(self._conninfo(node), _LIMIT_SECONDS) for node in NODES
        }
        self._answers: dict[str, Answer | None] = dict.fromkeys(NODES)
        self._misses = 0
        self._failovers = 0
        self._synchronous = Synchronous(is_strict=shop.synchronous)

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            began = asyncio.get_running_loop().time()
            await self._round(Cluster.read(self._shop.places))
            spent = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(0.0, _POLL_SECONDS - spent))

    async def _round(self, cluster: Cluster) -> None:
        answers = await asyncio.gather(*(self._probes[node].ask() for node in NODES))
        self._answers = dict(zip(NODES, answers, strict=True))
        primary, standby = self._answers[cluster.primary], self._answers[other(cluster.primary)]
        if primary is not None and primary.standby:
            await self._promote(cluster)
        elif primary is not None:
            self._misses = 0
            await self._lead(cluster)
            await self._wait_for_standby(cluster.primary, primary)
        else:
            self._misses += 1
            if self._misses >= MISSES and standby is not None and standby.standby:
                await self._fail_over(cluster)

    async def _fail_over(self, cluster: Cluster) -> None:
        decision = cluster.after(other(cluster.primary))
        _say(f"{cluster.primary} is dead; {decision.primary} takes over, epoch {decision.epoch}")
        decision.write(self._shop.places)
        self._failovers += 1
        self._misses = 0
        self._fence(cluster.primary)
        await self._promote(decision)

    def _fence(self, node: str) -> None:
        members = processes.inside(self._shop.places.data(node))
        processes.send(members, signal.SIGKILL)
        left = processes.wait_gone(members, 2.0)
        _say(f"fenced {node}: {len(members)} processes" + (f", {len(left)} left" if left else ""))

    async def _promote(self, cluster: Cluster) -> None:
        conninfo = self._conninfo(cluster.primary)
        try:
            async with (
                asyncio.timeout(10),
                await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as node,
            ):
                await node.execute("SELECT pg_promote(true, 8)")
        except (psycopg.Error, TimeoutError) as error:
            _say(f"{cluster.primary} was not promoted yet: {error}")
            return
        _say(f"{cluster.primary} is the primary")
        await self._lead(cluster)

    async def _wait_for_standby(self, node: str, primary: Answer) -> None:
        names = self._synchronous.wanted(primary, other(node))
        if names is None:
            return
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                await wait_for(self._conninfo(node), names)
        except (psycopg.Error, TimeoutError) as error:
            _say(f"{node} was not told whom to wait for: {error}")
            return
        _say(f"commits on {node} wait for {names or 'nobody: no standby streams'}")

    async def _lead(self, cluster: Cluster) -> None:
        wanted = f"{HOST}:{self._shop.node_port(cluster.primary)}"
        url = f"http://{HOST}:{self._shop.ports['proxy-control']}/proxies/{PROXY}"
        try:
            async with self._http.get(url) as response:
                if (await response.json())["upstream"] == wanted:
                    return
            async with self._http.post(url, json={"upstream": wanted}) as response:
                response.raise_for_status()
            _say(f"the proxy leads to {cluster.primary}")
        except (aiohttp.ClientError, TimeoutError) as error:
            _say(f"the proxy does not answer: {error!r}")

    def _conninfo(self, node: str) -> str:
        return self._shop.conninfo(self._shop.node_port(node), "controller", "postgres")

    async def metrics(self, _request: web.Request) -> web.Response:
        """What the controller knows, in Prometheus' text format."""
        cluster = Cluster.read(self._shop.places)
        lines = [f"shop_cluster_epoch {cluster.epoch}", f"shop_failovers_total {self._failovers}"]
        for node, answer in self._answers.items():
            primary = int(answer is not None and not answer.standby)
            streams = int(answer is not None and answer.replication == "streaming")
            waits = int(answer is not None and bool(answer.waits_for))
            lag = answer.lag_bytes if answer else 0
            lines += [
                f'shop_postgres_up{{node="{node}"}} {int(answer is not None)}',
                f'shop_postgres_primary{{node="{node}"}} {primary}',
                f'shop_postgres_streaming{{node="{node}"}} {streams}',
                f'shop_postgres_synchronous{{node="{node}"}} {waits}',
                f'shop_postgres_lag_bytes{{node="{node}"}} {lag}',
            ]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")


async def main(home: Path) -> None:
    """Watch, and answer Prometheus."""
    shop = Settled.read(home)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
        controller = Controller(shop, http)
        app = web.Application()
        app.router.add_get("/metrics", controller.metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, shop.ports["controller"]).start()
        await controller.run()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
