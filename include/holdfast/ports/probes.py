"""The promise of a probe: a check that a suite asks for by name."""

from collections.abc import Mapping
from typing import Protocol

from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding


class Probe(Protocol):
    """Look once, from outside, whether something is as it should be after a fault. Change nothing.

    The finding bears the probe's name; what cannot be looked at is UNKNOWN, never an exception.
    """

    def observe(
        self, services: Mapping[str, Mapping[str, str]], home: str, fault: Fault, recipe: Recipe
    ) -> Finding:
        """Judge what is there now; `services` are the suite's selectors by service."""
