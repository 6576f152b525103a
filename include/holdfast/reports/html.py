"""The report as one self-contained page: no script, nothing loaded from elsewhere."""

from holdfast.ports.reports import Renderer
from holdfast.reports._chart import NARROW, WIDE
from holdfast.reports._content import Report
from holdfast.reports._page import page


class HtmlReport:
    """Light and dark by the reader's choice, printable, legible on a phone."""

    suffix = "html"
    media_type = "text/html"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        return page(report, (WIDE, NARROW)).encode()


RENDERER: Renderer[Report] = HtmlReport()
