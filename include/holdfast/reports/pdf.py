"""The report as PDF: the same page, on paper, with page numbers and the run's id on each."""

from io import BytesIO

from holdfast.ports.reports import CannotRender, Renderer
from holdfast.reports._chart import WIDE
from holdfast.reports._content import Report
from holdfast.reports._page import page

CURE = "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0"
"""What gives a Debian machine the libraries that draw a PDF."""
_STYLE = """\
text { font: 11px "DejaVu Sans", sans-serif; fill: #444; }
.label { fill: #7b5cc4; font-weight: 600; } .grid { stroke: #ccc; stroke-width: 1; }
.window { fill: #7b5cc4; fill-opacity: .16; }
.bound { stroke: #b3231b; stroke-width: 1.25; stroke-dasharray: 5 4; }
.bound-label { fill: #b3231b; } .line { fill: none; stroke: #1f5fbf; stroke-width: 1.75; }
"""  # a drawing does not see the page's own styles there


class PdfReport:
    """The same words as the HTML; the same report gives the same bytes on one machine."""

    suffix = "pdf"
    media_type = "application/pdf"

    def render(self, report: Report) -> bytes:
        """Write the whole file; CannotRender if this machine lacks the libraries that draw it."""
        try:
            from weasyprint import HTML
            from weasyprint.urls import URLFetcher
        except OSError as error:  # Pango is a library of the system, no wheel has it
            raise CannotRender(f"no PDF: a library is missing ({error}); {CURE}") from error
        written = BytesIO()
        nothing = URLFetcher(allowed_protocols=())  # the page holds all that it shows
        HTML(string=page(report, (WIDE,), _STYLE), url_fetcher=nothing).write_pdf(written)
        return written.getvalue()


RENDERER: Renderer[Report] = PdfReport()
