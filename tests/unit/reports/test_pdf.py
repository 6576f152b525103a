"""K4: the PDF says what the page says, on numbered sheets, and loads nothing."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import pytest
from pypdf import PdfReader

from holdfast.ports.reports import CannotRender
from holdfast.reports import html, pdf
from support.reports import aborted, held

UNSEEN = {"style", "title", "script"}


class Words(HTMLParser):
    """The texts of a page as a reader of its wide form sees them."""

    def __init__(self):
        super().__init__()
        self.texts, self.open, self.narrow = [], [], None

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if dict(attrs).get("class") == "on-narrow":
            self.narrow = len(self.open)

    def handle_endtag(self, tag):
        self.open.pop()
        if self.narrow is not None and len(self.open) < self.narrow:
            self.narrow = None

    def handle_data(self, data):
        if data.strip() and self.narrow is None and not UNSEEN & set(self.open):
            self.texts.append("".join(data.split()))


@pytest.fixture(scope="module", params=[held, aborted], ids=["held", "aborted"])
def both(request):
    """The sheets of a report, and the texts of its page."""
    report = request.param()
    words = Words()
    words.feed(html.RENDERER.render(report).decode())
    sheets = PdfReader(BytesIO(pdf.RENDERER.render(report))).pages
    return [sheet.extract_text() for sheet in sheets], words.texts


def body(sheets):
    """All text without what stands on each sheet."""
    furniture = re.compile(r"^(Holdfast · run .*|page \d+ of \d+)$", re.M)
    return "".join("".join(furniture.sub("", sheet).split()) for sheet in sheets)


def test_every_word_of_the_page_is_in_the_pdf(both):
    sheets, texts = both
    assert [] == [text for text in texts if text not in body(sheets)]


def test_the_pdf_says_nothing_that_the_page_does_not(both):
    sheets, texts = both
    rest = body(sheets)
    for text in sorted(set(texts), key=len, reverse=True):
        rest = rest.replace(text, "\n")
    assert set() == set(re.sub("[•▾▸\n]", "", rest))


def test_each_sheet_has_its_number_and_the_runs_id(both):
    sheets, _ = both
    for number, sheet in enumerate(sheets, 1):
        assert f"page {number} of {len(sheets)}" in sheet
        assert "run shop-core--manual__2026-11-21T02_00_00_00_00" in sheet


def test_a_run_id_cannot_end_the_style_sheet():
    report = replace(held(), charts=(), run_id='x"; } body { display: none } a { b: "')
    text = PdfReader(BytesIO(pdf.RENDERER.render(report))).pages[0].extract_text()
    assert "4 of 4 experiments held" in text


def test_a_missing_library_is_said_with_its_cure(monkeypatch):
    """The wheel of WeasyPrint fails like this where Debian's libpango is not there."""
    class Wheel:
        def __getattr__(self, name):
            raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setitem(sys.modules, "weasyprint", Wheel())
    with pytest.raises(CannotRender, match=r"libpango-1.0-0.*apt-get install .* libpango-1.0-0"):
        pdf.RENDERER.render(held())


def test_nothing_is_fetched_even_if_the_page_asks_for_it(monkeypatch, caplog):
    """Refused before a connection is tried: that would read as connection refused."""
    monkeypatch.setattr(pdf, "page", lambda *_: '<p>x<img src="http://127.0.0.1:1/a.png">')
    assert pdf.RENDERER.render(held()).startswith(b"%PDF-")
    assert "disallowed protocol" in caplog.text


def test_drawing_leaves_the_task_log_alone(caplog):
    pdf.RENDERER.render(held())
    assert [] == caplog.messages
