"""The promise of a renderer of reports."""

from typing import Protocol, TypeVar

from holdfast.errors import HoldfastError

Content_contra = TypeVar("Content_contra", contravariant=True)


class CannotRender(HoldfastError):
    """What one form of the report needs is not on this machine; the others can be written."""


class Renderer(Protocol[Content_contra]):
    """Turn what a report says into a file. Pure."""

    suffix: str
    media_type: str

    def render(self, report: Content_contra) -> bytes:
        """Write the whole file. CannotRender if what it needs is not on this machine."""
