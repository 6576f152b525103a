"""The promise of a renderer of reports."""

from typing import Protocol, TypeVar

Content_contra = TypeVar("Content_contra", contravariant=True)


class Renderer(Protocol[Content_contra]):
    """Turn what a report says into a file. Pure."""

    suffix: str
    media_type: str

    def render(self, report: Content_contra) -> bytes:
        """Write the whole file."""
