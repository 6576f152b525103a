"""How a suite says who must agree to its runs."""

from datetime import timedelta

from pydantic import Field

from holdfast.model.approval import Rule
from holdfast.model.quantities import Duration, Filled, Frozen


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

    @property
    def rule(self) -> Rule:
        """The part that whoever checks the records needs too."""
        return Rule(self.from_impact, self.by, self.valid_for)
