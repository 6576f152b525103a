"""Draw a page of HTML as a PDF; the same page gives the same bytes on one machine."""

from io import BytesIO

from holdfast.ports.reports import CannotRender

CURE = "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0"
"""What gives a Debian machine the libraries that draw a PDF."""


def drawn(html: str) -> bytes:
    """Give the PDF; CannotRender if this machine lacks the libraries that draw it."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:  # Pango is a library of the system, no wheel has it
        raise CannotRender(f"no PDF: a library is missing ({error}); {CURE}") from error
    written = BytesIO()
    nothing = URLFetcher(allowed_protocols=())  # the page holds all that it shows
    HTML(string=html, url_fetcher=nothing).write_pdf(written)
    return written.getvalue()
