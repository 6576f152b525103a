"""Tell what became of an operation: done, not done, or nobody knows."""

from dataclasses import dataclass
from typing import Literal

from shop.front import ANSWER_WITHIN_MS

OUTCOMES = ("ok", "fail", "info")
# HAProxy sends a request again when the first API gave no answer for this long. A refusal that
# comes later may be about the second sending only; a tenth less, for a busy machine.
SURELY_FIRST_SECONDS = ANSWER_WITHIN_MS / 1000 * 0.9


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended, in Jepsen's words."""

    type: Literal["ok", "fail", "info"]
    error: str = ""


def of_answer(status: int, refused: bool, after_seconds: float) -> Outcome:
    """Judge an HTTP answer.

    :param refused: the API itself said that nothing was written
    :param after_seconds: since the request was sent
    """
    if status < 400:
        return Outcome("ok")
    error = f"http {status}"
    if 400 <= status < 500:
        return Outcome("fail", error)
    if refused and after_seconds < SURELY_FIRST_SECONDS:
        return Outcome("fail", f"{error}, refused")
    return Outcome("info", error)


def of_error(error: Exception, sent: bool) -> Outcome:
    """Judge a request without an answer."""
    name = type(error).__name__
    return Outcome("info" if sent else "fail", name)
