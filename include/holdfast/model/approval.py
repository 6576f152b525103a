"""Who must agree to a run before it may break anything, and what they have said.

Standard library only.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_SLACK = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""


class Answer(StrEnum):
    """What became of a request."""

    APPROVED = "approved"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"  # nobody answered: no
    WITHDRAWN = "withdrawn"  # approved, and taken back


@dataclass(frozen=True, slots=True)
class Rule:
    """Which plans a person must approve, who may, and how old that may be at the first fault."""

    from_impact: int
    by: Sequence[str]
    valid_for: timedelta

    @classmethod
    def read(cls, told: Mapping[str, object]) -> "Rule":
        """Read what a signed plan says of it; ValueError if that is no rule."""
        impact, by, valid_for = told["from_impact"], told["by"], told["valid_for"]
        match = re.fullmatch(r"([0-9]{1,15})(ms|s)", str(valid_for))
        if type(impact) is not int or not isinstance(by, list) or match is None:
            raise ValueError(f"not a rule of approval: {dict(told)!r}")
        unit = timedelta(milliseconds=1) if match[2] == "ms" else timedelta(seconds=1)
        return cls(impact, tuple(map(str, by)), int(match[1]) * unit)

    def why_asked(self, impact: int, irreversible: Sequence[str]) -> str:
        """Say why a person must approve such a plan; empty if nobody need."""
        if irreversible:
            return f"what {', '.join(irreversible)} breaks cannot be undone"
        if impact >= self.from_impact:
            return f"its impact is {impact}, and must be approved from {self.from_impact} on"
        return ""

    def why_not_by(self, person: str, triggered_by: str) -> str:
        """Say why this person's yes does not count; empty if it does."""
        if not _folded(person):
            return "nobody has put their name to it"
        if _is_same(person, triggered_by):
            return f"{person} has triggered the run, so another person must approve it"
        if self.by and not any(_is_same(person, other) for other in self.by):
            return f"{person} may not approve it: {', '.join(self.by)} may"
        return ""


@dataclass(frozen=True, slots=True)
class Approval:
    """The answer of a person to one plan, and its number in the evidence log once it is there.

    `approved_by` is who had approved what is withdrawn.
    """

    plan_digest: str
    answer: Answer
    by: str
    at: datetime
    why: str = ""
    approved_by: str = ""
    index: int = -1

    def __str__(self) -> str:
        said = f"{self.answer.value.replace('_', ' ')}{f' by {self.by}' if self.by else ''}"
        return f"{said}: {self.why}" if self.why else said

    def why_void(self, plan_digest: str, now: datetime, valid_for: timedelta) -> str:
        """Say why no fault of this plan may begin now; empty if it may."""
        if self.answer is not Answer.APPROVED:
            return str(self)
        if self.plan_digest != plan_digest:
            return f"{self.by} has approved another plan"
        if now < self.at - _SLACK:
            return f"the approval by {self.by} is of {self.at}, and it is {now}: a clock went back"
        if now - self.at > valid_for:
            age, most = (t.total_seconds() / 60 for t in (now - self.at, valid_for))
            return f"the approval by {self.by} is {age:.3g} minutes old, {most:.3g} are allowed"
        return ""


def _is_same(one: str, other: str) -> bool:
    """Names of people as logins treat them: neither case nor blanks make another person.

    Nor does what is not seen, or is only another form of the same letters.
    """
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    seen = "".join(c for c in unicodedata.normalize("NFKC", name) if c.isprintable())
    return seen.strip().casefold()
