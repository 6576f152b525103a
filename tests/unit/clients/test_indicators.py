"""Each question goes to its own source; what many guards ask is asked once (S4)."""

import asyncio
import json

import pytest
from aiohttp import web

from holdfast.clients import polling
from holdfast.clients.indicators import Places, ask_now, indicators_live
from holdfast.clients.prometheus_live import Source
from holdfast.model.indicator import Indicator

READY = Indicator(http="shop", path="/ready")
DEPTH = Indicator(http="shop", path="/depth", field="n")
BOTH = ["up", READY, DEPTH]


async def serve(asked):
    """A Prometheus and a shop in one."""
    async def answer(request):
        asked.append(request.path)
        await asyncio.sleep(0.05)
        result = [{"metric": {}, "value": [1700000000, "3"]}]
        return web.json_response({"n": 7, "status": "success",
                                  "data": {"resultType": "vector", "result": result}})

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def places(tmp_path, port=9, **changes):
    file = tmp_path / "connections.json"
    entry = {"host": "127.0.0.1", "port": port}
    file.write_text(json.dumps({"shop": entry, "prometheus_default": entry}))
    file.chmod(0o600)
    return Places(file, **changes)


def guards(tmp_path, count, questions, **changes):
    """What each of so many guards is answered, and what the servers were asked."""
    asked = []

    async def guard(at):
        async with indicators_live(at, questions, 1.0) as metrics:
            return await metrics.now(questions)

    async def go():
        runner = await serve(asked)
        at = places(tmp_path, runner.addresses[0][1], **changes)
        found = await asyncio.gather(*(guard(at) for _ in range(count)))
        await runner.cleanup()
        return found

    return asyncio.run(go()), asked


def test_each_question_is_answered_by_its_source(tmp_path):
    (found,), _ = guards(tmp_path, 1, BOTH)
    assert [3.0, 1.0, 7.0] == [found[question].value for question in BOTH]


def test_what_twenty_guards_ask_is_asked_once(tmp_path):
    found, asked = guards(tmp_path, 20, BOTH)
    assert ["/api/v1/query", "/depth", "/ready"] == sorted(asked)
    assert all(one == found[0] for one in found)
    assert {} == polling.pollers


def test_a_source_that_is_not_known_is_no_data_and_harms_no_other(tmp_path):
    unknown, command = Indicator(sql="db", query="SELECT 1"), Indicator(command=("depth",))
    (found,), _ = guards(tmp_path, 1, [READY, unknown, command])
    assert 1.0 == found[READY].value
    assert "unknown connection 'db'" in found[unknown].why
    assert "'depth' is no command that this deployment allows" in found[command].why


def test_without_a_connections_file_nothing_has_data(tmp_path):
    async def go():
        async with indicators_live(Places(tmp_path / "none"), BOTH, 1.0) as metrics:
            return await metrics.now(BOTH)
    assert {None} == {sample.value for sample in asyncio.run(go()).values()}


def test_an_address_may_take_the_place_of_the_connection(tmp_path):
    (found,), _ = guards(tmp_path, 1, ["up"], prometheus=Source("http://127.0.0.1:9"))
    assert "Prometheus could not be asked" in found["up"].why


def test_a_task_asks_once_and_waits(tmp_path):
    program = tmp_path / "depth"
    program.write_text("#!/bin/sh\necho 4\n")
    program.chmod(0o755)
    allowed = places(tmp_path, commands={"depth": str(program)})
    assert 4.0 == ask_now(allowed, Indicator(command=("depth",))).value


@pytest.mark.parametrize("slow", [True, False])
def test_a_slow_source_holds_up_no_other(tmp_path, slow):
    """A guard gets what is there when its patience ends, and why the rest is not."""
    program = tmp_path / "depth"
    program.write_text(f"#!/bin/sh\nsleep {5 if slow else 0}\necho 4\n")
    program.chmod(0o755)
    command = Indicator(command=("depth",))
    (found,), _ = guards(tmp_path, 1, ["up", command], commands={"depth": str(program)})
    assert (3.0, None if slow else 4.0) == (found["up"].value, found[command].value)
    assert not slow or found[command].why == "depth gave no answer in 1 s"
