"""S5: one poller for each run, shared, and none when nobody watches."""

import asyncio
import json
import threading
from dataclasses import replace

import pytest
from aiohttp import web as server

from holdfast.errors import HoldfastError
from holdfast.model.lease import LeaseState
from holdfast.model.run import RunState
from holdfast.model.verdict import Verdict
from holdfast.web import poller as module
from holdfast.web import stream
from holdfast.web.pages import parts
from holdfast.web.poller import Pollers
from support.ports import START, FakeMetrics
from support.runs import RUN, lease, planned
from support.suites import ERRORS, LATENCY


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.05)
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.01)


def run(deed):
    """Do it in a loop of its own, with a limit that no machine should need."""
    return asyncio.run(asyncio.wait_for(deed, 60))


async def until(true):
    while not true():
        await asyncio.sleep(0.01)


def pollers(ports):
    return Pollers(lambda: ports, parts)


def end(ports):
    book = ports.books.run(RUN)
    ports.books.close_run(replace(book, state=RunState.ENDED, verdict=Verdict.HELD))


def test_all_who_watch_a_run_share_its_poller(tmp_path):
    async def deed():
        shared = pollers(planned(tmp_path))
        async with shared.listen(RUN) as one, shared.listen(RUN) as other:
            return one is other, len(shared.running)

    assert (True, 1) == run(deed())


def test_a_poller_ends_a_while_after_its_last_listener(tmp_path):
    async def deed():
        shared = pollers(planned(tmp_path))
        async with shared.listen(RUN) as poller:
            await poller.change(0, 30)
        assert shared.running
        await until(lambda: not shared.running)
        await until(poller._task.done)
        return poller.is_dead

    assert run(deed())


def test_who_comes_back_soon_finds_the_same_poller(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LINGER_SECONDS", 30)

    async def deed():
        shared = pollers(planned(tmp_path))
        async with shared.listen(RUN) as one:
            pass
        async with shared.listen(RUN) as other:
            return one is other

    assert run(deed())


def test_what_changed_since_is_sent_and_nothing_else(tmp_path):
    ports = planned(tmp_path)

    async def deed():
        async with pollers(ports).listen(RUN) as poller:
            await poller.change(0, 30)
            assert {"status", "phases"} <= {name for name, _ in poller.since(0)}
            await until(lambda: poller.parts["services"].html)
            seen = poller.number
            ports.leases.rows["lease-first"] = lease(state=LeaseState.ACTIVE)
            await poller.change(seen, 30)
            return {name for name, _ in poller.since(seen)}

    assert {"status", "phases", "guard"} == run(deed())


def test_it_ends_with_the_run(tmp_path):
    ports = planned(tmp_path)

    async def deed():
        async with pollers(ports).listen(RUN) as poller:
            await poller.change(0, 30)
            end(ports)
            await until(lambda: poller.is_over)
            return poller.parts["status"].html

    assert "HELD" in run(deed())


def test_stores_that_fail_are_said_so_and_asked_again(tmp_path, monkeypatch):
    ports = planned(tmp_path)
    read = ports.leases.leases

    async def deed():
        async with pollers(ports).listen(RUN) as poller:
            await poller.change(0, 30)
            monkeypatch.setattr(ports.leases, "leases", _down)
            await until(lambda: "may be old: the disk is on fire" in poller.parts["status"].html)
            monkeypatch.setattr(ports.leases, "leases", read)
            await until(lambda: "may be old" not in poller.parts["status"].html)

    run(deed())


def _down(**_):
    raise HoldfastError("the disk is on fire")


def test_a_poller_that_fails_ends_its_streams_and_the_next_is_new(tmp_path, caplog):
    ports = planned(tmp_path)

    def broken(view, trouble):
        raise ZeroDivisionError

    async def deed():
        shared = Pollers(lambda: ports, broken)
        told = [event async for event in stream.events(shared, RUN, "")]
        before = shared.running[RUN]
        shared.draw = parts
        async with shared.listen(RUN) as after:
            return told[-1], before is after

    last, same = run(deed())
    assert ("nothing new" in last, same) == (True, False)
    assert "a poller ended" in caplog.text


def test_stores_are_never_read_in_the_loop(tmp_path, monkeypatch):
    """The API server's loop serves all of Airflow: nothing may block it."""
    ports = planned(tmp_path)
    names, read = set(), ports.books.read

    def noted(*args):
        names.add(threading.current_thread().name.rpartition("_")[0])
        return read(*args)

    monkeypatch.setattr(ports.books, "read", noted)

    async def deed():
        async with pollers(ports).listen(RUN) as poller:
            await poller.change(0, 30)

    run(deed())
    assert {"holdfast-stores"} == names


def test_the_stream_sends_every_part_first_and_then_the_changes(tmp_path):
    ports = planned(tmp_path)

    async def deed():
        told = []
        async for event in stream.events(pollers(ports), RUN, ""):
            told.append(event)
            if event.startswith("id:") and '"name": "files"' in event:
                end(ports)
        return told

    told = run(deed())
    assert "retry: 500\n\n" == told[0]
    assert "event: end\ndata: {}\n\n" == told[-1]
    heads = [json.loads(e.partition("data: ")[2])["name"] for e in told if e.startswith("id:")]
    assert {"status", "phases", "files"} <= set(heads)
    assert heads.count("status") == 2
    assert heads.count("guard") == 1


def test_who_comes_back_gets_only_what_they_have_not_seen(tmp_path):
    ports = planned(tmp_path)

    async def deed():
        shared = pollers(ports)
        async with shared.listen(RUN) as poller:
            await poller.change(0, 30)
            end(ports)
            await until(lambda: poller.is_over)
            seen = f"{poller.mark}-{poller.number}"
            own = [e async for e in stream.events(shared, RUN, seen)]
            foreign = [e async for e in stream.events(shared, RUN, "other-99")]
            return own, foreign

    own, foreign = run(deed())
    assert ["retry: 500\n\n", "event: end\ndata: {}\n\n"] == own
    assert len(foreign) > 5


def test_a_stream_ends_by_itself_so_that_access_is_checked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "STREAM_SECONDS", 0.2)
    monkeypatch.setattr(stream, "KEEP_ALIVE_SECONDS", 0.05)

    async def deed():
        return [e async for e in stream.events(pollers(planned(tmp_path)), RUN, "")]

    told = run(deed())
    assert not any(event.startswith("event: end") for event in told)


async def prometheus(ports, answers):
    """A Prometheus that gives these values in turn, and the connection to it."""
    async def handle(request):
        values = answers[request.query["query"]]
        value = values.pop(0) if len(values) > 1 else values[0]
        at = ports.clock.now().timestamp()
        result = [] if value is None else [{"metric": {}, "value": [at, str(value)]}]
        ports.clock.passed += 1
        return server.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": result}})

    app = server.Application()
    app.router.add_get("/api/v1/query", handle)
    runner = server.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await server.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    file = ports.settings.connections
    file.write_text(json.dumps({"prometheus_default": {"host": "127.0.0.1", "port": port}}))
    file.chmod(0o600)
    return runner


def test_values_move_in_the_chart_with_what_was_before_in_front(tmp_path):
    before = START.timestamp()
    metrics = FakeMetrics({ERRORS: 0.0, LATENCY: 0.05}, ranges={ERRORS: [(before, 0.5)]})
    ports = planned(tmp_path, metrics=metrics)
    ports.clock.passed = 5

    async def deed():
        prom = await prometheus(ports, {ERRORS: [0.002, 0.5, None], LATENCY: [0.05]})
        async with pollers(ports).listen(RUN) as poller:
            await until(lambda: "NO DATA" in poller.parts.get("objectives", NONE).html)
            html, points = poller.parts["objectives"].html, poller.view.charts[0].points
        await prom.cleanup()
        return html, [value for _, value in points]

    html, values = run(deed())
    assert [50.0, 0.2, 50.0] == values
    assert "between 0.2% and 50%" in html
    assert "no series instead of one" in html
    assert "now <b class=\"n\">50ms</b>" in html


NONE = module.Part(0, "")


def test_without_a_connection_the_page_says_why_there_are_no_charts(tmp_path):
    async def deed():
        async with pollers(planned(tmp_path)).listen(RUN) as poller:
            await poller.change(0, 30)
            return poller.parts["objectives"].html

    assert "there is no connections file" in run(deed())


def test_services_are_looked_at_beside(tmp_path):
    async def deed():
        async with pollers(planned(tmp_path)).listen(RUN) as poller:
            await until(lambda: "no pid file" in poller.parts.get("services", NONE).html)
            return poller.parts["services"].html

    assert "DOWN" in run(deed())


def test_a_run_that_is_over_is_drawn_from_what_was_sealed(tmp_path):
    ports = planned(tmp_path)
    at = START.timestamp()
    kept = {"start": at, "end": at + 9, "step": 1, "series": {"errors": [[at + n, 0.02]
                                                                        for n in range(9)]}}
    ports.artefacts.put(RUN, "samples.json", json.dumps(kept).encode(), "application/json")
    end(ports)

    async def deed():
        async with pollers(ports).listen(RUN) as poller:
            await poller.change(0, 30)
            return poller.parts["objectives"].html

    html = run(deed())
    assert "since the start of the run" in html
    assert "errors, objective &lt; 1%: between 2% and 2%" in html
