"""What the documents need of each kind of statement, checked as it is read."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from holdfast.model.approval import Answer
from holdfast.model.verdict import Verdict


def _verdict(value: object) -> object:
    return Verdict.__members__.get(str(value), value)


def _moment(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _answer(value: object) -> object:
    return Answer(value) if isinstance(value, str) else value


Named = Annotated[Verdict, BeforeValidator(_verdict)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Answered = Annotated[Answer, BeforeValidator(_answer)]


class Told(BaseModel):
    """Part of a predicate; what is not needed is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Target(Told):
    """A target that the plan had resolved."""

    name: str
    service: str


class Fault(Told):
    """A fault as planned."""

    type: str
    service: str
    delay_ms: int
    duration_ms: int


class Planned(Told):
    """An experiment as planned."""

    name: str
    round: int
    fault: Fault
    effect: str
    targets: list[Target] = []


class PlanTold(Told):
    """A plan, `plan/v1`."""

    suite: str
    suite_digest: str
    environment: str
    plan_digest: str
    experiments: list[Planned]


class ApprovalTold(Told):
    """An answer to a plan, `approval/v1`."""

    plan_digest: str
    answer: Answered
    by: str
    why: str = ""


class Way(Told):
    """What a start and a result both tell of a run."""

    suite: str
    environment: str
    plan_digest: str
    started_at: Moment
    triggered_by: str = ""
    controls: list[str] = []


class StartTold(Way):
    """A start, `run-start/v1`."""

    dry_run: bool = False


class Trial(Told):
    """An experiment as it ended; `figures` are its whole numbers in ms."""

    name: str
    verdict: Named
    service: str = ""
    controls: list[str] = []
    fault_type: str = ""
    lease_id: str = ""
    ended: str = ""
    revoked: str = ""
    lease_margin_ms: int | None = None
    abort_ms: int | None = None
    detection_ms: int | None = None
    recovery_from_fault_ms: int | None = None
    recovery_from_revert_ms: int | None = None


class Check(Told):
    """One thing that was checked and did not hold."""

    name: str
    experiment: str
    verdict: Named
    text: str


class File(Told):
    """A file that the run has left behind."""

    name: str
    digest: str
    media_type: str = "application/octet-stream"


class ResultTold(Way):
    """A result, `result/v1`."""

    run_id: str
    sealed_at: Moment
    verdict: Named
    whole: Named | None = None
    experiments: list[Trial]
    findings: list[Check] = []
    counts: dict[str, int] = {}
    catalogues: dict[str, str] = {}
    artefacts: list[File] = []
    is_postponed: bool = False
    reason: str = ""


class ReportTold(Told):
    """That a report was written, `report/v1`: its files are the statement's subjects."""
