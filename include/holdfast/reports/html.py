"""The report as one self-contained page: no script, nothing loaded from elsewhere."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.ports.reports import Renderer
from holdfast.reports._chart import NARROW, WIDE, svg
from holdfast.reports._content import DISCLAIMER, Report, seconds

if TYPE_CHECKING:
    from jinja2 import Environment


class HtmlReport:
    """Light and dark by the reader's choice, printable, legible on a phone."""

    suffix = "html"
    media_type = "text/html"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        from markupsafe import Markup

        charts = [
            (chart, [Markup(svg(chart, width)) for width in (WIDE, NARROW)])  # noqa: S704 - escaped
            for chart in report.charts
        ]
        page = _environment().get_template("report.html.j2")
        return page.render(report=report, charts=charts, disclaimer=DISCLAIMER).encode()


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.filters["seconds"] = seconds
    return made


RENDERER: Renderer[Report] = HtmlReport()
