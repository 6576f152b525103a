"""Draw one objective over a run as SVG: line, bound, fault windows, axes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from math import floor, log10
from operator import itemgetter

from holdfast.reports._content import Chart, Window

WIDE, NARROW, HEIGHT = 760, 360, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 26, 30
_LABEL, _LETTER = 14, 7.4  # a row of labels, and a letter of one


class _Scale:
    """From time and value to the page."""

    def __init__(self, chart: Chart, low: float, high: float, width: int) -> None:
        self.width, self.top = width, _TOP
        self.height = HEIGHT
        self.start, self.end = chart.start, max(chart.end, chart.start + 1)
        self.low, self.high = low, high

    def x(self, at: float) -> float:
        share = (min(max(at, self.start), self.end) - self.start) / (self.end - self.start)
        return round(_LEFT + share * (self.width - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.bottom - share * (self.bottom - self.top), 1)

    @property
    def bottom(self) -> int:
        return self.height - _BOTTOM

    def make_room(self, rows: int) -> None:
        """Grow by more than one row of labels."""
        more = _LABEL * max(0, rows - 1)
        self.top, self.height = _TOP + more, HEIGHT + more


def columns(width: int = WIDE) -> int:
    """Say how many columns of pixels the plot has."""
    return width - _LEFT - _RIGHT


def svg(chart: Chart, width: int = WIDE, style: str = "") -> str:
    """Draw at a width; colours come from the page's classes, so that it follows light and dark.

    What draws the page without them takes `style`, a CSS of the drawing's own.
    """
    chart = thinned(chart, columns(width))
    ticks = _ticks(chart)
    scale = _Scale(chart, ticks[0], ticks[-1], width)
    labels = list(_placed(chart.windows, scale))
    scale.make_room(1 + max((row for _, row in labels), default=0))
    title = escape(_title(chart))
    parts = [
        f'<svg viewBox="0 0 {width} {scale.height}" role="img" aria-label="{title}">',
        f"<title>{title}</title>", f"<style>{style}</style>" if style else "",
        *_windows(chart, scale), *_labels(chart, scale, labels),
        *_grid(chart, scale, ticks), *_times(scale), *_bound(chart, scale),
        *(f'<polyline class="line" points="{points}"/>' for points in _lines(chart, scale)),
        "</svg>",
    ]
    return "".join(parts)


def _title(chart: Chart) -> str:
    """Say in words what is drawn, for who cannot see it."""
    values = [value for _, value in chart.points]
    seen = "no data" if not values else (
        f"between {min(values):.4g}{chart.unit} and {max(values):.4g}{chart.unit}"
    )
    faults = ", ".join(window.label for window in chart.windows) or "none"
    return f"{chart.name}, objective {chart.bound}: {seen}; faults: {faults}"


def _ticks(chart: Chart) -> list[float]:
    values = [value for _, value in chart.points] + [chart.limit]
    low, high = min(values), max(values)
    if chart.bound.startswith("<"):
        low = min(low, 0.0)
    if high - low < abs(high) * 1e-6 or high == low:
        low, high = low - (abs(low) * 0.01 or 1.0), high + (abs(high) * 0.01 or 1.0)
    high += (high - low) * 0.05
    if chart.unit == "%":
        low, high = max(0.0, low), min(100.0, high) if high <= 105 else high
    step = _nice((high - low) / 4)
    first = floor(low / step + 1e-9)
    ticks = [first * step]
    while ticks[-1] < high - step * 1e-6:
        ticks.append((first + len(ticks)) * step)
    return ticks


def _nice(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * 0.999)


def _grid(chart: Chart, scale: _Scale, ticks: Sequence[float]) -> Iterator[str]:
    for tick in ticks:
        y = scale.y(tick)
        yield f'<line class="grid" x1="{_LEFT}" x2="{scale.width - _RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">'
        yield f"{tick:.6g}{escape(chart.unit)}</text>"


def _times(scale: _Scale) -> Iterator[str]:
    length = scale.end - scale.start
    room = scale.width / 90
    step = next((s for s in (5, 10, 15, 30, 60, 120, 300, 600, 1800) if length / s <= room), 3600)
    at = 0
    while at <= length:
        x = scale.x(scale.start + at)
        anchor = "start" if at == 0 else "end" if x > scale.width - 40 else "middle"
        yield f'<text class="tick" x="{x}" y="{scale.height - 10}" text-anchor="{anchor}">'
        yield f"{at // 60}:{at % 60:02d}</text>"
        at += step


def _windows(chart: Chart, scale: _Scale) -> Iterator[str]:
    top, height = scale.top, scale.bottom - scale.top
    for window in chart.windows:
        x, width = scale.x(window.start), scale.x(window.end) - scale.x(window.start)
        label = escape(window.label)
        yield f'<rect class="window" x="{x}" y="{top}" width="{max(width, 2):.1f}" '
        yield f'height="{height}"><title>{label}</title></rect>'


def _placed(windows: Sequence[Window], scale: _Scale) -> Iterator[tuple[float, int]]:
    """Where each label begins, and in which row: none is left out, none lies on another."""
    free_from: list[float] = []
    for window in windows:
        room = _LETTER * len(window.label)
        left = max(0.0, min(scale.x(window.start), scale.width - _RIGHT - room))
        rows = (row for row, free in enumerate(free_from) if left >= free)
        row = next(rows, len(free_from))
        free_from[row:row + 1] = [left + room + 8]
        yield left, row


def _labels(
    chart: Chart, scale: _Scale, places: Sequence[tuple[float, int]]
) -> Iterator[str]:
    for window, (left, row) in zip(chart.windows, places, strict=True):
        y = scale.top - 8 - _LABEL * row
        yield f'<text class="label" x="{left:.1f}" y="{y}">{escape(window.label)}</text>'


def _bound(chart: Chart, scale: _Scale) -> Iterator[str]:
    y = scale.y(chart.limit)
    yield f'<line class="bound" x1="{_LEFT}" x2="{scale.width - _RIGHT}" y1="{y}" y2="{y}"/>'
    below = y + 13 if y < scale.top + 14 else y - 5
    yield f'<text class="bound-label" x="{scale.width - _RIGHT - 4}" y="{below:.1f}" '
    yield f'text-anchor="end">{escape(chart.bound)}</text>'


def _lines(chart: Chart, scale: _Scale) -> Iterator[str]:
    """One line for each stretch without a gap: no data must not look like data."""
    piece: list[str] = []
    last = chart.start
    for at, value in chart.points:
        if piece and at - last > chart.step * 3:
            yield " ".join(piece)
            piece = []
        piece.append(f"{scale.x(at)},{scale.y(value)}")
        last = at
    if piece:
        yield " ".join(piece)


def thinned(chart: Chart, count: int) -> Chart:
    """Keep of each of `count` columns its lowest and its highest point: no spike is lost."""
    if len(chart.points) <= 2 * count:
        return chart
    width = max(chart.end - chart.start, 1.0) / count
    kept: list[tuple[float, float]] = []
    for _, group in groupby(chart.points, key=lambda point: int((point[0] - chart.start) / width)):
        points = list(group)
        ends = {min(points, key=itemgetter(1)), max(points, key=itemgetter(1))}
        kept += sorted(ends)
    return replace(chart, points=kept, step=max(chart.step, width))
