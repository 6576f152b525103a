"""E2, E3: pages of evidence and controls, for who may see them."""

import re

import pytest

from support.bundles import changed
from support.evidence_runs import say, two_runs
from support.web import Asking, pages

OWN = {"sec-fetch-site": "same-origin"}
pytestmark = pytest.mark.usefixtures("quick_pdf")


@pytest.fixture
def ports(tmp_path):
    return two_runs(tmp_path)


@pytest.fixture
def ask(ports):
    with Asking(pages(ports, zoe={"checkout", "secret"})) as asking:
        yield asking


def token(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


def test_records_that_one_may_see_are_listed_and_found(ask):
    page = ask("zoe", "/evidence")
    assert (200, True, True) == (
        page.status_code, "a log of 7 records" in page.text, 'href="/evidence/6"' in page.text)
    found = ask("zoe", "/evidence?kind=result&verdict=BROKEN&control=dora:art-24.4")
    assert ('href="/evidence/6"' in found.text, 'href="/evidence/3"' in found.text) == (True, False)
    assert "secret--1" not in ask("ana", "/evidence").text


@pytest.mark.parametrize("query", ["from=nonsense", "verdict=GOOD", "to=9"])
def test_a_question_that_makes_no_sense_is_told_beside_the_form(ask, query):
    page = ask("zoe", f"/evidence?{query}")
    assert (400, True) == (page.status_code, 'role="alert"' in page.text)


@pytest.mark.parametrize(("query", "status"), [
    (f"/evidence?cursor={'9' * 5000}", 200), (f"/controls?framework=dora&days={'9' * 5000}", 400)],
    ids=["cursor", "days"])
def test_a_number_that_nobody_could_mean_is_none(ask, query, status):
    assert status == ask("zoe", query).status_code


def test_a_record_is_shown_checked_with_its_proof(ask):
    page = ask("ana", "/evidence/3").text
    assert "signed by the key of its role" in page
    assert "in the log of 7 records whose head is signed" in page
    assert "c2sp.org/tlog-proof@v1" in page
    assert 404 == ask("ana", "/evidence/6").status_code


def test_a_forged_record_is_shown_as_such(ask, ports):
    import sqlite3

    with sqlite3.connect(ports.settings.books) as db:
        db.execute("DROP TRIGGER record_no_update")
        forged = changed(ports.notary.records()[3].envelope, lambda told: told.update(verdict="?"))
        db.execute("UPDATE record SET envelope = ? WHERE number = 3", [forged])
    db.close()
    page = ask("ana", "/evidence/3").text
    assert "not in the log of 7 records" in page
    assert "✗" in page


def test_controls_stand_by_service_with_reason_and_records(ask):
    page = ask("zoe", "/controls?framework=dora&days=3650").text
    assert '<span class="state failing">failing</span>' in page
    assert "secret--1 ended BROKEN" in page
    assert "supports evidence for controls" in page
    assert 403 == ask("ana", "/controls?framework=dora").status_code
    for query in ("framework=dorra", "framework=dora&days=0", "framework=dora&days=x",
                  "framework=dora&days=" + "9" * 5000):
        assert 400 == ask("zoe", f"/controls?{query}").status_code


def test_a_framework_that_no_run_has_touched_says_so(ask):
    assert "No run has shown anything" in ask("zoe", "/controls?framework=nis2").text


def test_an_export_is_made_from_the_page(ask):
    page = ask("zoe", "/evidence")
    form = {"token": token(page), "frameworks": "dora, nis2", "since": "2026-01-01", "until": ""}
    done = ask("zoe", "/evidence/exports", "POST", OWN, data=form)
    assert (303, "/evidence") == (done.status_code, done.headers["location"])
    shown = ask("zoe", "/evidence").text
    place = re.search(r'href="(/evidence/exports/[0-9a-f]{16})"', shown)[1]
    assert ask("zoe", place).content.startswith(b"PK")
    assert 403 == ask("ana", place).status_code
    assert 404 == ask("zoe", "/evidence/exports/0123456789abcdef").status_code


@pytest.mark.parametrize("form", [{"since": "soon"}, {"until": "2026-99-99"},
                                  {"frameworks": "dora " * 60}])
def test_an_export_that_makes_no_sense_says_so(ask, form):
    done = ask("zoe", "/evidence/exports", "POST", OWN, data={"token": token_of(ask, "zoe")} | form)
    assert 400 == done.status_code


def test_only_who_may_see_all_can_export_and_only_by_the_own_form(ask):
    assert "Make a bundle" not in ask("ana", "/evidence").text
    for who, headers, form in (
        ("ana", OWN, {"token": token_of(ask, "zoe")}), ("zoe", OWN, {"token": "1.x"}),
        ("zoe", {"sec-fetch-site": "cross-site"}, {"token": token_of(ask, "zoe")}),
    ):
        assert 403 == ask(who, "/evidence/exports", "POST", headers, data=form).status_code
    bearer = OWN | {"authorization": "Bearer x"}
    assert 403 == ask("ana", "/evidence/exports", "POST", bearer, data={}).status_code


def token_of(ask, who):
    return token(ask(who, "/evidence"))


def test_a_log_that_cannot_be_read_is_told_as_a_page(ask, ports):
    (ports.settings.keys / "log.pem").chmod(0o644)
    page = ask("zoe", "/evidence/3")
    assert (503, True) == (page.status_code, "chmod 600" in page.text)


def test_more_records_than_a_page_are_on_the_next(ask, ports):
    for _ in range(60):
        say(ports, "checkout--1", "plan")
    first = ask("zoe", "/evidence").text
    following = re.search(r'href="(/evidence\?[^"]+)"', first)[1].replace("&amp;", "&")
    assert 'href="/evidence/66"' in ask("zoe", following).text
