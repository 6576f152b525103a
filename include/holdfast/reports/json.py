"""The report as JSON, for programs."""

import json
from dataclasses import asdict

from holdfast.model.verdict import Verdict
from holdfast.ports.reports import Renderer
from holdfast.reports._content import DISCLAIMER, Report


class JsonReport:
    """Every field of the report; verdicts by name; durations in ms."""

    suffix = "json"
    media_type = "application/json"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        content = _named(asdict(report)) | {"schema": "holdfast/report/v1", "note": DISCLAIMER}
        return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _named(value: dict[str, object]) -> dict[str, object]:
    return {name: _plain(item) for name, item in value.items()}


def _plain(value: object) -> object:
    if isinstance(value, Verdict):
        return value.name
    if isinstance(value, dict):
        return _named(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


RENDERER: Renderer[Report] = JsonReport()
