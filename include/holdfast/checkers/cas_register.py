"""A register with compare-and-set, by the name that Knossos gives it."""

from holdfast.checkers.register import CHECKER

__all__ = ["CHECKER"]
