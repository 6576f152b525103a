"""The report as PDF: the same page, on paper, with page numbers and the run's id on each."""

from holdfast.ports.reports import Renderer
from holdfast.reports._chart import WIDE
from holdfast.reports._content import Report
from holdfast.reports._drawn import drawn
from holdfast.reports._page import page

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
        return drawn(page(report, (WIDE,), _STYLE))


RENDERER: Renderer[Report] = PdfReport()
