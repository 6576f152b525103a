"""The guard as a trigger: what it promises to Airflow, on a real lease store."""

import asyncio
import json
from importlib import import_module

import pytest
from aiohttp import web

from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.stores.live import SqliteLeases
from support.airflow import own_home
from support.guard import a_lease, a_watch

pytestmark = pytest.mark.dag
own_home()


def a_trigger(home, **changes):
    from holdfast.provider.triggers.guard import GuardTrigger

    watch = a_watch(poll=0.05, grace=0.3, **changes).model_dump(mode="json")
    return GuardTrigger(home=str(home), prometheus="prometheus_default", watch=watch)


@pytest.fixture
def store(tmp_path):
    leases = SqliteLeases(tmp_path / "live.db")
    leases.open(a_lease())
    leases.move("lease", LeaseState.ARMED)
    yield leases
    leases.close()


async def with_prometheus(home, values, act):
    """Serve values by query, name the server in the connections file, then act."""
    async def answer(request):
        found = values.get(request.query["query"].partition(" and ")[0])
        result = [] if found is None else [{"metric": {}, "value": [1700000000.0, str(found)]}]
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": result}})

    app = web.Application()
    app.router.add_get("/api/v1/query", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    entry = {"conn_type": "http", "host": "127.0.0.1", "port": runner.addresses[0][1]}
    file = home / "connections.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"prometheus_default": entry}))
    try:
        return await asyncio.wait_for(act(), 20)
    finally:
        await runner.cleanup()


async def first_event(trigger):
    return await anext(trigger.run())


def run(home, values, trigger):
    async def act():
        return (await first_event(trigger)).payload
    return asyncio.run(with_prometheus(home, values, act))


def test_serialize_gives_back_exactly_the_constructors_arguments(tmp_path):
    path, arguments = a_trigger(tmp_path).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))
    assert (path, arguments) == again.serialize()


def test_a_breach_is_revoked_in_the_store_and_told(tmp_path, store):
    values = {"p95": 0.1, "errors": 0.0}
    trigger = a_trigger(tmp_path)

    async def act():
        event = asyncio.create_task(first_event(trigger))
        while store.read("lease").counter < 3:
            store.beat("lease")
            await asyncio.sleep(0.02)
        values["p95"] = 1.9
        return (await event).payload

    payload = asyncio.run(with_prometheus(tmp_path, values, act))
    lease = store.read("lease")
    assert payload == {"lease_id": "lease", "state": "armed", "reason": "breach"}
    assert lease.revoked.text == "latency-p95 was 1900ms, objective < 500ms"
    assert 0.0 <= lease.revoked.spent_ms < 500.0


def test_no_steady_state_no_renewal(tmp_path, store):
    assert run(tmp_path, {"p95": 0.9, "errors": 0.0}, a_trigger(tmp_path))["reason"] == "not_steady"
    assert store.read("lease").counter == 0


def test_a_missing_address_is_missing_data(tmp_path, store):
    event = asyncio.run(first_event(a_trigger(tmp_path)))
    assert event.payload["reason"] == "no_data"
    assert "there is no connections file" in store.read("lease").revoked.text


def with_http():
    """A watch of how soon this Prometheus, as any HTTP end point, answers."""
    (one, *_) = a_watch().conditions
    asked = {"http": "prometheus_default", "path": "/api/v1/query?query=p95", "measure": "latency"}
    return one.model_validate(one.model_dump(mode="json") | {"query": asked})


def test_an_http_indicator_is_asked_and_its_answers_are_kept(tmp_path, store):
    """S4: nobody else has a history of them."""
    trigger = a_trigger(tmp_path, conditions=(with_http(),))

    async def act():
        event = asyncio.create_task(first_event(trigger))
        while store.read("lease").counter < 3:
            store.beat("lease")
            await asyncio.sleep(0.02)
        store.revoke("lease", Revocation(Reason.STOPPED, "enough", "ann", ""))
        return (await event).payload

    payload = asyncio.run(with_prometheus(tmp_path, {"p95": 0.1}, act))
    lines = (tmp_path / "samples" / "lease.jsonl").read_text().splitlines()
    assert payload["reason"] == "stopped"
    assert len(lines) >= 3
    assert 0.0 < json.loads(lines[0])[2] < 2.0


def test_a_command_that_the_deployment_does_not_allow_is_missing_data(tmp_path, store):
    (one, *_) = a_watch().conditions
    asked = one.model_validate(one.model_dump(mode="json") | {"query": {"command": ["id"]}})
    event = asyncio.run(first_event(a_trigger(tmp_path, conditions=(asked,))))
    assert event.payload["reason"] == "no_data"
    assert "'id' is no command that this deployment allows" in store.read("lease").revoked.text


def test_a_command_that_is_allowed_is_asked(tmp_path, store, monkeypatch):
    monkeypatch.setenv("HOLDFAST_COMMANDS", "seven=/bin/echo")
    (one, *_) = a_watch().conditions
    asked = one.model_validate(one.model_dump(mode="json") | {"query": {"command": ["seven", "7"]}})
    event = asyncio.run(first_event(a_trigger(tmp_path, conditions=(asked,))))
    assert event.payload["reason"] == "not_steady"
    assert "7000ms before the fault" in store.read("lease").revoked.text


def test_a_closed_lease_ends_the_guard_at_once_with_the_stored_reason(tmp_path, store):
    store.revoke("lease", Revocation(Reason.STOPPED, "enough", "ann", ""))
    event = asyncio.run(first_event(a_trigger(tmp_path)))
    assert event.payload == {"lease_id": "lease", "state": "armed", "reason": "stopped"}


def test_a_lease_that_is_not_there_is_told(tmp_path, store):
    event = asyncio.run(first_event(a_trigger(tmp_path, lease_id="other")))
    assert event.payload == {"lease_id": "other", "state": "missing", "reason": ""}


def test_two_copies_both_end_and_the_first_reason_stays(tmp_path, store):
    async def act():
        one, two = await asyncio.gather(*(first_event(a_trigger(tmp_path)) for _ in range(2)))
        return one.payload, two.payload

    one, two = asyncio.run(with_prometheus(tmp_path, {"p95": 2.0, "errors": 0.0}, act))
    assert one == two


def test_a_persons_stop_of_the_task_revokes_the_lease(tmp_path, store):
    asyncio.run(a_trigger(tmp_path).on_kill())
    assert Reason.CLOSED is store.read("lease").revoked.reason


def test_cleanup_touches_nothing(tmp_path, store):
    """It runs at every restart of the triggerer."""
    asyncio.run(a_trigger(tmp_path).cleanup())
    assert store.read("lease").revoked is None


def test_a_cancelled_guard_leaves_the_fault_to_its_lease(tmp_path, store):
    """A restart of the triggerer neither renews nor revokes."""
    async def act():
        task = asyncio.create_task(first_event(a_trigger(tmp_path)))
        while store.read("lease").counter < 2:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        before = store.read("lease").counter
        await asyncio.sleep(0.2)
        return before

    before = asyncio.run(with_prometheus(tmp_path, {"p95": 0.1, "errors": 0.0}, act))
    assert (before, None) == (store.read("lease").counter, store.read("lease").revoked)
