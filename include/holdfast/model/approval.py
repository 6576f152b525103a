"""Who must agree to a run before it may break anything, and what they have said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from holdfast.model.quantities import Duration, Filled, Frozen


class Answer(StrEnum):
    """What became of a request."""

    APPROVED = "approved"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"  # nobody answered: no
    WITHDRAWN = "withdrawn"  # approved, and taken back


class ApprovalSpec(Frozen):
    """A person other than the one who triggered must approve the plan of a run with much impact.

    A plan with an irreversible fault must always be approved.
    """

    from_impact: int = Field(
        50, ge=0, le=100, strict=True,
        description="impact score from which a plan must be approved; 0 is every plan",
    )
    by: tuple[Filled, ...] = Field(
        (), description="who may approve, by their names in Airflow; anybody if empty"
    )
    wait: Duration = Field(
        timedelta(minutes=30), description="how long a run waits for an answer; none is a no"
    )
    valid_for: Duration = Field(
        timedelta(hours=1), description="how old an approval may be when the first fault is armed"
    )

    def why_asked(self, impact: int, irreversible: Sequence[str]) -> str:
        """Say why a person must approve such a plan; empty if nobody need."""
        if irreversible:
            return f"what {', '.join(irreversible)} breaks cannot be undone"
        if impact >= self.from_impact:
            return f"its impact is {impact}, and must be approved from {self.from_impact} on"
        return ""

    def why_not_by(self, person: str, triggered_by: str) -> str:
        """Say why this person's yes does not count; empty if it does."""
        if not person.strip():
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
        if now - self.at > valid_for:
            age, most = (t.total_seconds() / 60 for t in (now - self.at, valid_for))
            return f"the approval by {self.by} is {age:.3g} minutes old, {most:.3g} are allowed"
        return ""


def _is_same(one: str, other: str) -> bool:
    """Names of people as logins treat them: neither case nor blanks make another person."""
    return one.strip().casefold() == other.strip().casefold()
