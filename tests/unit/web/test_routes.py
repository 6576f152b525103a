"""V2, S5: the pages answer who may see them, and a stop bears the name of who pressed it."""

import re
from dataclasses import replace

import pytest
from fastapi import FastAPI

from holdfast.model.lease import LeaseState, Reason
from holdfast.model.run import RunState
from holdfast.model.verdict import Verdict
from holdfast.web import pages as drawn
from support.runs import RUN, lease, planned
from support.web import Asking, pages

PAGE = "/runs/checkout/manual_1"
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def ports(tmp_path):
    return planned(tmp_path)


@pytest.fixture
def ask(ports):
    with Asking(pages(ports)) as asking:
        yield asking


def end(ports, **changes):
    ports.books.close_run(replace(ports.books.run(RUN), **changes))


def token(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


def test_no_route_answers_without_a_login(ports):
    app = pages(ports)
    routes = [(method, route.path) for route in app.routes for method in route.methods]
    assert len(routes) >= 7
    with Asking(app) as ask:
        asked = {(m, p): ask("", p, m).status_code for m, p in routes}
    assert dict.fromkeys(routes, 401) == asked


@pytest.mark.parametrize("path", [PAGE, PAGE + "/events", PAGE + "/files/report.html",
                                  PAGE + "/stop"])
def test_who_may_not_see_the_suite_sees_no_run_of_it(ask, path):
    assert 403 == ask("sam", path).status_code


def test_the_page_of_a_run_shows_it(ask):
    page = ask("rob", PAGE)
    assert 200 == page.status_code
    assert "<h2>Phases</h2>" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_run_that_has_not_begun_is_not_found_but_looked_for(ask):
    page = ask("rob", "/runs/checkout/later")
    assert 404 == page.status_code
    assert "NOT BEGUN" in page.text
    assert "/runs/checkout/later/events" in page.text


def test_a_suite_is_no_way_to_another_suites_runs(ask, ports):
    """Access is checked for the DAG in the address: an id that leads elsewhere is no run of it."""
    other = replace(ports.books.run(RUN), id="checkout--x--1", suite="checkout--x")
    ports.books.open_run(other)
    for tail in ("", "/events", "/files/report.html", "/stop"):
        assert 404 == ask("ana", f"/runs/checkout/x--1{tail}").status_code


def test_only_who_may_stop_sees_the_button(ask):
    assert "Stop this run" in ask("ana", PAGE).text
    assert "Stop this run" not in ask("rob", PAGE).text


def test_before_a_run_has_begun_its_button_waits_for_it(ask):
    """Who opens the page first must not have to load it again to be able to stop."""
    page = ask("ana", "/runs/checkout/later").text
    assert re.search(r'<form id="ask"[^>]* hidden>', page)
    assert "data-stoppable" not in page
    assert re.search(r'<form id="ask"[^>]*"get">', ask("ana", PAGE).text)
    assert "data-stoppable" in ask("ana", PAGE).text


def test_a_run_that_is_over_has_no_button(ask, ports):
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    assert "Stop this run" not in ask("ana", PAGE).text


def test_a_stop_names_who_pressed_it(ask, ports):
    ports.leases.lock("staging", RUN)
    row = lease(state=LeaseState.CLEAN)
    ports.leases.rows["lease-first"] = replace(row, state=LeaseState.OPENED)
    form = {"token": token(ask("ana", PAGE)), "why": "  looks\nwrong "}
    answer = ask("ana", PAGE + "/stop", "POST", OWN, data=form)
    assert (303, PAGE) == (answer.status_code, answer.headers["location"])
    revoked = ports.leases.rows["lease-first"].revoked
    assert (Reason.STOPPED, "ana", "ana pressed stop on the page: looks wrong") == (
        revoked.reason, revoked.by, revoked.text)
    assert '"by": "ana"' in ports.settings.stops.read_text()


def test_a_stop_between_two_faults_is_on_the_page_at_once(ask):
    form = {"token": token(ask("ana", PAGE))}
    ask("ana", PAGE + "/stop", "POST", OWN, data=form)
    assert "No further fault may begin: stopped by ana: ana pressed stop" in ask("ana", PAGE).text


def stopped(ports):
    return ports.settings.stops.exists()


@pytest.mark.parametrize(("who", "headers", "status"), [
    pytest.param("rob", OWN, 403, id="may-only-read"),
    pytest.param("ana", {"sec-fetch-site": "same-site"}, 403, id="a-page-of-another-port"),
    pytest.param("ana", {"origin": "http://127.0.0.1:9"}, 403, id="an-older-browser"),
])
def test_a_stop_that_was_not_asked_on_our_page_is_refused(ask, ports, who, headers, status):
    form = {"token": token(ask("ana", PAGE))}
    assert status == ask(who, PAGE + "/stop", "POST", headers, data=form).status_code
    assert not stopped(ports)


@pytest.mark.parametrize("form", [{}, {"token": "1.x"}, {"why": "no token"}])
def test_a_form_without_our_token_is_refused(ask, ports, form):
    assert 403 == ask("ana", PAGE + "/stop", "POST", OWN, data=form).status_code
    assert not stopped(ports)


def test_a_form_that_is_no_form_is_refused(ask, ports):
    assert 413 == ask("ana", PAGE + "/stop", "POST", OWN, content=b"x" * 5000).status_code
    assert not stopped(ports)


def test_a_program_with_a_bearer_token_needs_no_form(ask, ports):
    headers = {"authorization": "Bearer x"}
    assert 303 == ask("ana", PAGE + "/stop", "POST", headers).status_code
    assert stopped(ports)


def test_what_is_over_cannot_be_stopped(ask, ports):
    form = {"token": token(ask("ana", PAGE))}
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    assert 409 == ask("ana", PAGE + "/stop", "POST", OWN, data=form).status_code
    assert not stopped(ports)


def test_what_has_not_begun_cannot_be_stopped(ask):
    headers = {"authorization": "Bearer x"}
    assert 404 == ask("ana", "/runs/checkout/later/stop", "POST", headers).status_code


def test_without_a_script_a_page_asks_once(ask):
    page = ask("ana", PAGE + "/stop")
    assert "Stop this run?" in page.text
    assert token(page)


def test_there_is_nothing_to_ask_when_a_run_is_over(ask, ports):
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    answer = ask("ana", PAGE + "/stop")
    assert (303, PAGE) == (answer.status_code, answer.headers["location"])


def test_a_report_is_shown_and_can_do_nothing(ask, ports):
    ports.artefacts.put(RUN, "report.html", b"<script>alert(1)</script>", "text/html")
    answer = ask("rob", PAGE + "/files/report.html")
    assert b"<script>alert(1)</script>" == answer.content
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox allow-same-origin")
    assert "allow-scripts" not in policy
    assert answer.headers["content-disposition"].startswith("inline")
    assert "nosniff" == answer.headers["x-content-type-options"]


@pytest.mark.parametrize(("name", "media_type", "how"), [
    ("report.pdf", "application/pdf", "attachment"), ("docs.zip", "application/zip", "attachment"),
    ("report.md", "text/markdown", "inline"), ("report.json", "application/json", "inline"),
    ("picture.svg", "image/svg+xml", "attachment"),
])
def test_what_a_frame_cannot_show_is_a_download(ask, ports, name, media_type, how):
    ports.artefacts.put(RUN, name, b"x", media_type)
    answer = ask("rob", f"{PAGE}/files/{name}")
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["content-disposition"].startswith(how)
    assert "sandbox" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", [
    "nothing.html", "..%2Fsecret", "%2e%2e%2fsecret", "../secret", "other%2Freport.html",
])
def test_only_what_is_in_the_runs_list_can_be_named(ask, ports, name):
    ports.artefacts.put(RUN, "report.html", b"x", "text/html")
    (ports.artefacts.folder / "secret").write_text("secret")
    answer = ask("rob", f"{PAGE}/files/{name}")
    assert 404 == answer.status_code
    assert "secret" not in answer.text.replace(name, "").replace("../secret", "")


def test_the_overview_names_only_what_may_be_seen(ask, ports):
    ports.leases.lock("staging", RUN)
    ports.leases.rows["lease-first"] = lease(state=LeaseState.ACTIVE)
    for who, seen in (("rob", True), ("sam", False)):
        page = ask(who, "/").text
        assert seen is (PAGE in page)
        assert seen is ("first (hang, active)" in page)
        assert seen is not ("another run" in page)


def test_the_style_is_the_reports_with_more(ask):
    style = ask("sam", "/static/page.css")
    assert style.headers["content-type"].startswith("text/css")
    assert drawn.style() == style.content
    assert ":root" in style.text
    assert ".lamps" in style.text


def test_there_is_no_other_file(ask):
    assert 404 == ask("sam", "/static/app.py").status_code


def test_a_person_without_a_login_is_shown_the_way(ask):
    answer = ask("", PAGE, headers={"accept": "text/html"})
    assert 401 == answer.status_code
    assert f"/login?next={PAGE}" in answer.text


def test_a_person_without_a_right_is_told_so(ask):
    answer = ask("sam", PAGE, headers={"accept": "text/html"})
    assert 403 == answer.status_code
    assert "Forbidden" in answer.text
    assert "Log in" not in answer.text


def test_text_of_a_run_is_never_markup(ask, ports):
    end(ports, reason="<script>alert(1)</script>", state=RunState.POSTPONED)
    page = ask("rob", PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_events_of_a_run_that_is_over_end(ask, ports):
    end(ports, state=RunState.ENDED, verdict=Verdict.HELD)
    answer = ask("rob", PAGE + "/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: part" in answer.text
    assert answer.text.endswith("event: end\ndata: {}\n\n")


def test_below_a_prefix_every_address_bears_it(ports):
    whole = FastAPI()
    whole.mount("/holdfast", pages(ports))
    with Asking(whole) as ask:
        page = ask("ana", f"/holdfast{PAGE}").text
    addresses = re.findall(r'(?:href|src|action|data-events)="(/[^"]*)"', page)
    assert len(addresses) >= 5
    assert [] == [a for a in addresses if not a.startswith("/holdfast/")]
