"""Draw a witness as SVG: transactions on a ring, an arrow for each reason, its label beside it."""

from collections.abc import Iterator, Sequence
from html import escape
from math import cos, hypot, pi, sin

from holdfast.model.witness import Act, Reason, Witness

_WIDTH, _BOX, _LINE, _LETTER = 760, 232, 15, 6.3
_PER_LINE, _LINES = 31, 5
_DRAWN = 8
"""Transactions that are drawn; a longer circle is told in words only."""

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:currentColor}.name{font-weight:600}"
    ".box{fill:none;stroke:currentColor}.arrow{fill:none;stroke-width:1.6}"
    ".ww,.wr{stroke:#2166ac}.rw{stroke:#b2182b}.process,.realtime{stroke:#666;stroke-dasharray:5 4}"
)
"""What the drawing looks like where the page says nothing."""

_ARROWS = {"ww": "#2166ac", "wr": "#2166ac", "rw": "#b2182b", "process": "#666", "realtime": "#666"}

Point = tuple[float, float]


def svg(witness: Witness, style: str = STYLE) -> str:
    """Draw a witness; nothing is loaded from elsewhere. A circle too long to draw gives ''."""
    if len(witness.acts) > _DRAWN:
        return ""
    boxes = [_wrapped(act.text) for act in witness.acts]
    tall = max(_LINE * (len(lines) + 1) + 14 for lines in boxes)
    places, height = _places(len(boxes), tall)
    title = escape(f"{witness.anomaly}: {witness.sentence}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img"'
        f' aria-label="{title}"><title>{title}</title><style>{style}</style>{_heads()}',
        *(part for act, lines, place in zip(witness.acts, boxes, places, strict=True)
          for part in _box(act, lines, place, tall)),
        *_arrows(witness.reasons, places, tall), "</svg>",
    ]
    return "".join(parts)


def _wrapped(text: str) -> list[str]:
    """Break what a transaction did into lines, after commas where there are any."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) + 1 > _PER_LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    lines = [line if len(line) <= _PER_LINE else f"{line[:_PER_LINE - 1]}…" for line in lines]
    return lines if len(lines) <= _LINES else [*lines[:_LINES - 1], "…"]


def _places(count: int, tall: float) -> tuple[Sequence[Point], float]:
    """The middle of each box, clockwise from the left or the top, and how high the picture is."""
    if count == 2:
        middle = tall / 2 + 40
        return [(_BOX / 2 + 8, middle), (_WIDTH - _BOX / 2 - 8, middle)], 2 * middle
    wide, high = (_WIDTH - _BOX) / 2 - 8, tall + 40 + 16 * count
    middle = high + tall / 2 + 10
    turn = [2 * pi * n / count - pi / 2 for n in range(count)]
    return [(_WIDTH / 2 + wide * cos(a), middle + high * sin(a)) for a in turn], 2 * middle


def _box(act: Act, lines: Sequence[str], place: Point, tall: float) -> Iterator[str]:
    left, top = place[0] - _BOX / 2, place[1] - tall / 2
    who = f"index {act.index}" + (f", process {act.process}" if act.process >= 0 else "")
    yield f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{_BOX}" height="{tall}" rx="6"/>'
    yield f'<text x="{left + 10:.1f}" y="{top + 18:.1f}"><tspan class="name">{escape(act.name)}'
    yield f"</tspan> ({escape(who)}, {escape(act.outcome)})</text>"
    for number, line in enumerate(lines, 1):
        yield f'<text x="{left + 10:.1f}" y="{top + 18 + _LINE * number:.1f}">{escape(line)}</text>'


def _arrows(reasons: Sequence[Reason], places: Sequence[Point], tall: float) -> Iterator[str]:
    """Each transaction to the next; of two, one arrow passes above the other."""
    for number, reason in enumerate(reasons):
        start, end = places[number], places[(number + 1) % len(places)]
        if len(places) == 2:
            side = -1 if number == 0 else 1
            shift = side * (tall / 2 - 14)
            start, end = (start[0], start[1] + shift), (end[0], end[1] + shift)
            label = ((start[0] + end[0]) / 2, start[1] + (-10 if side < 0 else 20))
        else:
            label = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        first, last = _edge(start, end, tall), _edge(end, start, tall)
        if len(places) == 2:
            first, last = _sides(start, end)
        line = f"M{first[0]:.1f} {first[1]:.1f} L{last[0]:.1f} {last[1]:.1f}"
        yield f'<path class="arrow {reason.kind}" marker-end="url(#{reason.kind})" d="{line}">'
        yield f"<title>{escape(reason.text)}</title></path>"
        outward = 0 if len(places) == 2 else 1 if label[0] > _WIDTH / 2 else -1
        yield _label(f"{reason.kind} {reason.label}".strip(), label, outward)


def _label(text: str, place: Point, outward: int) -> str:
    """A label at a place or on the outer side of it, kept inside the picture."""
    text = text if len(text) <= 40 else f"{text[:39]}…"
    half = len(text) * _LETTER / 2
    x = min(max(place[0] + outward * (half + 14), half + 4), _WIDTH - half - 4)
    return (f'<text x="{x:.1f}" y="{place[1]:.1f}" text-anchor="middle">{escape(text)}</text>')


def _sides(start: Point, end: Point) -> tuple[Point, Point]:
    side = 1 if end[0] > start[0] else -1
    return (start[0] + side * _BOX / 2, start[1]), (end[0] - side * (_BOX / 2 + 6), end[1])


def _edge(start: Point, end: Point, tall: float) -> Point:
    """Where the line from one box to another leaves the first, with some air."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    reach = min(
        (_BOX / 2 + 6) / abs(dx) if dx else 1e9, (tall / 2 + 6) / abs(dy) if dy else 1e9,
        1 - 1 / max(hypot(dx, dy), 2),
    )
    return start[0] + dx * reach, start[1] + dy * reach


def _heads() -> str:
    return "<defs>" + "".join(
        f'<marker id="{kind}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10z" fill="{colour}"/></marker>'
        for kind, colour in _ARROWS.items()) + "</defs>"
