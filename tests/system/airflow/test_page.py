"""V2, S5: the pages in a real Airflow, used in a real browser."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import httpx
import pytest

from holdfast.audit.opened import opened
from holdfast.cli.airflow_env import Lab as AirflowPlaces
from holdfast.clients.connections import connection
from holdfast.model.lease import LeaseState, Reason
from holdfast.web.evidence import create_api
from support.axe import axe, troubles
from support.chromium import chromium, program
from support.web import pages, requirements

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]
SCREENS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
STATUS = "document.getElementById('status').innerText"
GUARD = "document.querySelector('[data-part=guard]').innerText"


@pytest.fixture(scope="module")
def airflow(lab):
    """Airflow's address."""
    return connection(lab.settings.connections, "airflow_default").url


@pytest.fixture(scope="module")
def token(lab, airflow):
    """What `sre` carries after the login."""
    password = json.loads(AirflowPlaces(lab.settings).passwords.read_text())["sre"]
    body = {"username": "sre", "password": password}
    answer = httpx.post(f"{airflow}/auth/token", json=body, timeout=60)
    return answer.json()["access_token"]


@pytest.fixture(scope="module")
def ended(lab):
    """A run that has had its fault and its report."""
    run = lab.trigger("brief-0")
    run.until_over(180)
    return run


def routes():
    """Every address of the pages and of the API, filled in, with each of its methods."""
    filled = {"dag_id": "held-0", "run_id": "nothing", "name": "page.css", "index": "0",
              "export_id": "0", "sha256": "0" * 64, "level": "0", "path:path": "000",
              "framework": "dora", "control": "art-24.4"}
    for app, place in ((pages(None), "/holdfast"),
                       (create_api(lambda: None, requirements()), "/evidence/v1")):
        for route in app.routes:
            path = re.sub(r"{([^}]+)}", lambda found: filled[found[1]], route.path)
            yield from ((method, place + path) for method in sorted(route.methods))


def test_no_address_of_the_pages_answers_without_a_login(airflow):
    asked = list(routes())
    assert len(asked) >= 28
    with httpx.Client(base_url=airflow, timeout=60) as web:
        answers = {(m, path): web.request(m, path).status_code for m, path in asked}
    assert dict.fromkeys(asked, 401) == answers


def test_airflow_has_the_plugin_once_and_without_an_error(airflow, token):
    with httpx.Client(base_url=airflow, timeout=60, cookies={"_token": token}) as web:
        plugins = web.get("/api/v2/plugins").json()["plugins"]
        errors = web.get("/api/v2/plugins/importErrors").json()["import_errors"]
    assert [] == errors
    ours, = (p for p in plugins if p["name"] == "holdfast")
    assert ["nav", "dag_run"] == [view["destination"] for view in ours["external_views"]]


@asynccontextmanager
async def browser(airflow, token):
    async with chromium() as tab:
        await tab.cookie(airflow, "_token", token)
        await tab.look(1280)
        yield tab


def in_browser(deed):
    """Do it where there is one."""
    if program() is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    asyncio.run(deed)


async def is_fit_for_all(tab, script):
    """Axe finds nothing wrong on wide and narrow screens, light and dark."""
    found = {}
    for width, scheme in SCREENS:
        await tab.look(width, scheme)
        found[width, scheme] = await troubles(tab, script)
        wide = await tab.run("document.documentElement.scrollWidth")
        assert wide <= width, f"{wide} pixels on a screen of {width}"
    await tab.look(1280)
    assert {screen: [] for screen in SCREENS} == found


def test_a_person_watches_a_run_and_stops_it_by_keyboard(lab, airflow, token):
    """The page opened first fills by itself, moves, and its stop bears the person's name."""
    script = axe()
    run = lab.trigger("held-0")

    async def deed():
        async with browser(airflow, token) as tab:
            await tab.go(f"{airflow}/holdfast/runs/held-0/{run.dag_run_id}")
            await tab.until(f"{STATUS}.includes('Fault on: watched')", 120)
            await moves(tab)
            await is_fit_for_all(tab, script)
            await stop(tab, script)
            await tab.until(f"{STATUS}.includes('Ended')", 120)
            assert "sre pressed stop on the page: seen enough" in await tab.run(STATUS)
            assert not await tab.run("document.getElementById('ask')?.checkVisibility()")
            await is_fit_for_all(tab, script)
            await tab.go(f"{airflow}/holdfast/")
            await tab.until("document.body.innerText.includes('pressed stop')")
            await is_fit_for_all(tab, script)
            early = "404 (Not Found)"  # the page itself, before the run had begun
            assert [] == [line for line in tab.said if early not in line]

    in_browser(deed())
    run.until_over()
    lease, = run.leases
    assert (LeaseState.CLEAN, Reason.STOPPED, "sre") == (
        lease.state, lease.revoked.reason, lease.revoked.by)
    assert "sre pressed stop on the page: seen enough" in run.book.reason


async def moves(tab):
    """Values come in without loading the page again."""
    await tab.until(f"{GUARD}.includes('renews the lease')")
    before = await tab.run(GUARD)
    await tab.until(f"{GUARD} !== {json.dumps(before)}")
    await tab.until("document.querySelector('[data-part=services]').innerText.includes('UP')")
    await tab.until("document.querySelector('svg .window')")


async def stop(tab, script):
    """By keyboard alone: asked once, refused once, then done."""
    await tab.run("document.querySelector('#ask button').focus()")
    await tab.press("Enter")
    await tab.until("document.getElementById('sure').open")
    assert "Let it go on" == await tab.run("document.activeElement.innerText")
    assert [] == await troubles(tab, script)
    await tab.press("Enter")
    await tab.until("!document.getElementById('sure').open")
    assert "Fault on: watched" in await tab.run(STATUS)
    await tab.run("document.querySelector('#ask button').focus()")
    await tab.press("Enter")
    await tab.until("document.getElementById('sure').open")
    await tab.run("document.getElementById('why').value = 'seen enough'")
    await tab.run("document.querySelector('form.sure button').focus()")
    await tab.press("Enter")
    await tab.until("document.body.innerText.includes('Revoked by sre')", 90)


def test_airflow_shows_the_page_beside_the_tasks_and_the_report_in_it(ended, airflow, token):
    frame = "document.querySelector('iframe')?.contentDocument"

    async def deed():
        async with browser(airflow, token) as tab:
            at = f"{airflow}/dags/brief-0/runs/{ended.dag_run_id}/plugin/resilience-run"
            await tab.go(at)
            await tab.until(f"{frame}?.querySelector('#status h1')", 120)
            await tab.run(f"{frame}.querySelector('a[href$=\"report.html\"]').click()")
            await tab.until(f"{frame}?.title.includes('brief-0') && {frame}.querySelector('h2')")
            await tab.go(f"{airflow}/plugin/resilience")
            await tab.until(f"{frame}?.querySelector('h1')?.innerText === 'Resilience'", 120)

    in_browser(deed())


def test_an_auditor_finds_a_record_its_proof_and_a_bundle(ended, airflow, token, tmp_path):
    """E3: searched, opened, proven, exported and fetched; controls and gaps beside it."""
    script, text = axe(), "document.body.innerText"
    bundle_at = "document.querySelector('a[href*=\"/evidence/exports/\"]')?.href"

    async def deed():
        async with browser(airflow, token) as tab:
            await tab.go(f"{airflow}/holdfast/evidence?kind=result&run_id={ended.id}")
            await tab.until(f"{text}.includes('{ended.id}')")
            await is_fit_for_all(tab, script)
            await tab.run("document.querySelector('td a').click()")
            await tab.until(f"{text}.includes('c2sp.org/tlog-proof')")
            assert [] == await tab.run("[...document.querySelectorAll('.lamp.broken')]")
            await is_fit_for_all(tab, script)
            await tab.go(f"{airflow}/holdfast/evidence")
            await tab.run("document.querySelector('[name=frameworks]').value = 'dora'")
            await tab.run("document.querySelector('form[method=post] button').click()")
            while not await tab.run(bundle_at):
                await asyncio.sleep(1)
                await tab.go(f"{airflow}/holdfast/evidence")
            await is_fit_for_all(tab, script)
            link = await tab.run(bundle_at)
            await tab.go(f"{airflow}/holdfast/controls?framework=dora")
            await tab.until(f"{text}.includes('art-25.1')")
            await is_fit_for_all(tab, script)
            assert [] == tab.said
            (tmp_path / "link").write_text(link)

    in_browser(deed())
    with httpx.Client(timeout=60, cookies={"_token": token}) as web:
        (tmp_path / "b.zip").write_bytes(web.get((tmp_path / "link").read_text()).content)
    with opened(tmp_path / "b.zip") as bundle:
        assert "manifest.dsse.json" in bundle.names


def test_without_a_script_the_page_shows_the_run(ended, airflow, token):
    """By what the server sends: the page is whole without JavaScript."""
    at = f"/holdfast/runs/brief-0/{ended.dag_run_id}"
    with httpx.Client(base_url=airflow, timeout=60, cookies={"_token": token}) as web:
        page = web.get(at).text
        report = web.get(f"{at}/files/report.pdf")
    assert "<svg" in page
    assert "Guard and lease" in page
    assert report.content.startswith(b"%PDF")
