"""The one page that the HTML and the PDF are made of."""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.model.witness import Witness
from holdfast.reports._chart import svg
from holdfast.reports._content import DISCLAIMER, Circle, Report, hundredths, percent, seconds
from holdfast.reports._witness import svg as witness_svg

if TYPE_CHECKING:
    from jinja2 import Environment


def page(report: Report, widths: Sequence[int], style: str = "") -> str:
    """Write the page with each chart drawn at these widths.

    With a `style` for the charts it is for paper alone, without what only a browser understands.
    """
    from markupsafe import Markup

    charts = [
        (chart, [Markup(svg(chart, width, style)) for width in widths])  # noqa: S704 - escaped
        for chart in report.charts
    ]
    template = _environment().get_template("report.html.j2")
    return template.render(
        report=report, charts=charts, disclaimer=DISCLAIMER, on_screen=not style
    ).lstrip()


def _picture(circle: Circle) -> str:
    """Draw it as an image of its own, whose style cannot reach the page; '' if it is too long."""
    drawn = witness_svg(Witness.model_validate(circle.witness))
    return drawn and "data:image/svg+xml;base64," + b64encode(drawn.encode()).decode()


def _moment(at: str) -> str:
    """Write a date for people."""
    try:
        return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return at


def _in_css(text: str) -> str:
    """Keep what cannot end a string of a style sheet."""
    return re.sub(r"[^A-Za-z0-9 ._:+-]", "?", text)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.filters |= {
        "seconds": seconds, "percent": percent, "hundredths": hundredths, "moment": _moment,
        "in_css": _in_css, "picture": _picture,
    }
    return made
