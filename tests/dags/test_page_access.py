"""V2, S5: the pages keep Airflow's own rules about who may do what."""

import subprocess
import sys
from dataclasses import replace

import pytest

from holdfast.model.run import EntryKind
from support.airflow import CHECKOUT
from support.runs import RUN, planned
from support.web import Asking

pytestmark = [
    pytest.mark.dag,
    pytest.mark.filterwarnings("ignore:Using `httpx` with"),  # Airflow's own API server
]
PAGE = "/runs/checkout/manual_1"


@pytest.fixture(scope="module")
def tokens(airflow_db):
    """What people of each role carry after their login."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager = create_auth_manager()
    manager.init()
    return {
        role: manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role, teams=None))
        for role in ("viewer", "user")
    }


@pytest.fixture
def ports(tmp_path):
    return planned(tmp_path)


@pytest.fixture
def ask(ports, tokens):
    """The pages with Airflow's checks, asked as a browser that has Airflow's cookie."""
    from holdfast.provider.access import require
    from holdfast.provider.runs import run_id
    from holdfast.web.app import create_app

    with Asking(create_app(lambda: ports, require(), run_id)) as asking:
        def ask(role, path, method="GET", headers=None, **more):
            cookie = {"cookie": f"_token={tokens[role]}"} if role else {}
            return asking("", path, method, cookie | (headers or {}), **more)

        yield ask


def test_without_a_cookie_there_is_nothing(ask):
    assert 401 == ask("", PAGE).status_code


def test_a_forged_cookie_is_no_login(ask):
    answer = ask("", PAGE, headers={"cookie": "_token=eyJhbGciOiJub25lIn0.e30."})
    assert answer.status_code in (401, 403)


def test_the_way_to_the_login_leads_back(ask):
    answer = ask("", PAGE, headers={"accept": "text/html"})
    assert 401 == answer.status_code
    assert "/auth/login?next=" in answer.text
    assert "checkout" in answer.text.partition("next=")[2]


def test_a_viewer_sees_a_run_without_a_button(ask):
    page = ask("viewer", PAGE)
    assert 200 == page.status_code
    assert "Stop this run" not in page.text


def test_a_viewer_cannot_stop(ask, ports):
    headers = {"sec-fetch-site": "same-origin"}
    assert 403 == ask("viewer", PAGE + "/stop", "POST", headers).status_code
    assert 403 == ask("viewer", PAGE + "/stop").status_code
    assert not ports.settings.stops.exists()


def test_who_may_trigger_may_stop_and_is_named(ask, ports, tokens):
    assert "Stop this run" in ask("user", PAGE).text
    bearer = {"authorization": f"Bearer {tokens['user']}"}
    assert 303 == ask("", PAGE + "/stop", "POST", bearer).status_code
    assert '"by": "user", "why": "user pressed stop on the page"' in (
        ports.settings.stops.read_text())


def test_a_cookie_alone_stops_nothing(ask, ports):
    assert 403 == ask("user", PAGE + "/stop", "POST").status_code
    assert not ports.settings.stops.exists()


def test_a_page_of_another_port_cannot_stop_in_ones_name(ask, ports, tokens):
    """Cookies go to every port of a host: the demo's storefront is one."""
    headers = {"origin": "http://here:8080", "authorization": f"Bearer {tokens['user']}"}
    assert 403 == ask("user", PAGE + "/stop", "POST", headers).status_code
    assert not ports.settings.stops.exists()


def test_a_run_is_found_by_airflows_own_id(ask, ports):
    from holdfast.provider.runs import run_id

    airflows = "manual__2026-01-01T02:00:00+00:00"
    entry = ports.books.read(RUN, EntryKind.SUITE)[0]
    ours = run_id("checkout", airflows)
    ports.books.open_run(replace(ports.books.run(RUN), id=ours))
    ports.books.write(replace(entry, run_id=ours))
    page = ask("viewer", f"/runs/checkout/{airflows.replace('+', '%2B').replace(':', '%3A')}")
    assert 200 == page.status_code
    assert "<h2>Phases</h2>" in page.text


def test_what_a_suite_has_left_is_shown_though_it_is_no_dag_any_more(ask, dags, ports):
    """Else nobody could make a bundle again, since that is for who may see all suites."""
    known = replace(ports.books.run(RUN), id="two-rounds--1", suite="two-rounds")
    ports.books.open_run(known)
    page = ask("viewer", "/").text
    assert "/runs/two-rounds/1" in page
    assert PAGE in page  # there is no DAG of this name
    assert 200 == ask("viewer", "/controls").status_code


def test_workers_and_triggerers_never_load_the_pages():
    """The plugin is loaded in every process of Airflow's."""
    script = (
        "import sys; from holdfast.provider.plugin import HoldfastPlugin as P; P().external_views;"
        "print([m for m in sys.modules if m.startswith(('fastapi', 'holdfast.web'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          cwd=CHECKOUT, check=True)
    assert "[]" == done.stdout.splitlines()[-1]


def test_the_pages_are_mounted_once_and_linked_below_airflows_own_address(monkeypatch):
    from holdfast.provider.plugin import HoldfastPlugin, root

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://ops.example/airflow/")
    assert "/airflow/holdfast" == root()
    plugin = HoldfastPlugin()
    assert plugin.fastapi_apps is plugin.fastapi_apps
    assert ["/holdfast", "/evidence/v1"] == [app["url_prefix"] for app in plugin.fastapi_apps]
    assert ["nav", "dag_run"] == [view["destination"] for view in plugin.external_views]
