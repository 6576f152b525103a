"""Draw the pages: whole when they are asked for, and in parts while a run goes on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from holdfast.model.run import Run, RunState
from holdfast.reports._chart import NARROW, WIDE, svg
from holdfast.reports._content import percent, seconds
from holdfast.steps.overview import Overview
from holdfast.web.view import View

if TYPE_CHECKING:
    from jinja2 import Environment

PARTS = (
    "status", "facts", "phases", "objectives", "guard", "mechanisms", "services", "budget",
    "checks", "files",
)
"""Parts of a run's page in their order; one that has nothing to say is empty."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is: `root` is the address the pages are mounted at, `run` that of the run."""

    root: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """What the stop button's form needs."""

    token: str
    visitor: str


def parts(view: View | None, trouble: str) -> Mapping[str, str]:
    """Draw every part of a run's page as it is now."""
    return {name: _part(name, view, trouble) for name in PARTS}


def _part(name: str, view: View | None, trouble: str) -> str:
    template = _environment().get_template(f"parts/{name}.html.j2")
    return template.render(view=view, trouble=trouble).strip()


def run_page(title: str, drawn: Mapping[str, str], place: Place, button: Button | None) -> str:
    """The page of a run; `button` is None for who may not stop it, or when there is no need.

    It is hidden until the run has begun, which the page's script sees.
    """
    from markupsafe import Markup

    safe = {name: Markup(html) for name, html in drawn.items()}  # noqa: S704 - drawn by `parts`
    has_begun = "data-stoppable" in drawn["status"]
    return _render(
        "run.html.j2", title=title, parts=safe, place=place, button=button, has_begun=has_begun
    )


def confirm_page(run: Run, place: Place, button: Button) -> str:
    """The question that the stop button asks, for browsers without JavaScript."""
    return _render("confirm.html.j2", run=run, place=place, button=button)


def overview_page(seen: Overview, readable: Collection[str], place: Place) -> str:
    """All runs that the visitor may see, and the environments."""
    return _render("overview.html.j2", seen=seen, readable=readable, place=place)


def message_page(status: int, text: str, place: Place, login_page: str = "") -> str:
    """Why there is nothing else to see."""
    return _render("message.html.j2", status=status, text=text, place=place, login_page=login_page)


def page_of(template: str, **values: object) -> str:
    """A page by its template: those of evidence and controls."""
    return _render(template, **values)


def style() -> bytes:
    """The reports' style, and what only these pages need."""
    reports = files("holdfast.reports") / "templates"
    own = files("holdfast.web") / "static" / "page.css"
    sheets = (reports / "report.css", reports / "screen.css", own)
    return b"".join(sheet.read_bytes() for sheet in sheets)


def script() -> bytes:
    """What keeps a page up to date."""
    return (files("holdfast.web") / "static" / "page.js").read_bytes()


def folder(run: Run) -> str:
    """The last part of the address of a run's page; from the page it leads to what lies below."""
    return run.id.removeprefix(f"{run.suite}--")


def address(run: Run) -> str:
    """The path of a run's page below the root."""
    return f"/runs/{run.suite}/{folder(run)}"


def _render(name: str, **values: object) -> str:
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("holdfast.web"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    made.filters |= {"seconds": seconds, "percent": percent, "address": address, "folder": folder}
    made.globals |= {
        "svg": lambda chart, wide: Markup(svg(chart, WIDE if wide else NARROW)),  # noqa: S704
        "RunState": RunState,
    }
    return made
