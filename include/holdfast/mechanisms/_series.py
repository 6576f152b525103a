"""What can be read off a series."""

from holdfast.ports.mechanisms import Series, Watched

SCRAPE_SECONDS = 1.0
"""What the last second of a fault has counted is seen one scrape later."""


def between(series: Series, start: float, end: float) -> Series:
    """The samples in [start, end]."""
    return [(at, value) for at, value in series if start <= at <= end]


def during(watched: Watched, name: str) -> Series:
    """The samples from the injection to the revert; none if the suite does not name it."""
    return between(watched.series.get(name, ()), watched.injected, watched.reverted)


def since(watched: Watched, name: str) -> Series:
    """The samples from the injection until now; none if the suite does not name it."""
    return between(watched.series.get(name, ()), watched.injected, watched.end)


def rise(series: Series, start: float, end: float) -> float:
    """How much a counter rose, from what it was at the start (0 if nothing is known of it)."""
    inside = between(series, start, end)
    return inside[-1][1] - _base(series, start) if inside else 0.0


def first_rise(series: Series, start: float) -> float | None:
    """When a counter was first seen higher than it was at the start."""
    base = _base(series, start)
    return next((at for at, value in series if at > start and value > base), None)


def counted(watched: Watched, name: str) -> int:
    """How much a counter rose while the fault was on; 0 if the suite does not name it."""
    end = watched.reverted + SCRAPE_SECONDS
    return round(rise(watched.series.get(name, ()), watched.injected, end))


def number(watched: Watched, name: str) -> float:
    """A parameter that is a number."""
    return float(watched.params[name] or 0)


def seconds(value: float) -> str:
    """Write a time for people."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _base(series: Series, start: float) -> float:
    return next((value for at, value in reversed(series) if at <= start), 0.0)
