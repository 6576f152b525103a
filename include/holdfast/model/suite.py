"""The suite as its author wrote it: closed, frozen, checked."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from holdfast.model.allowance import BlastRadius, BudgetSpec, HealthSpec, OwnRadius, Traffic
from holdfast.model.approval_spec import ApprovalSpec
from holdfast.model.indicator import Indicator
from holdfast.model.mechanism import MechanismSpec
from holdfast.model.quantities import BoundText, Duration, Filled, Frozen, Name, StatePath, Stops
from holdfast.model.windows import Windows
from holdfast.model.workload import WorkloadSpec


class Metadata(Frozen):
    """What the suite is called and whose it is."""

    name: Name
    owner: str = Field(min_length=1, max_length=200)
    description: str = ""


class Selector(Frozen):
    """Where a service is: at least one kind of address."""

    process: StatePath | None = Field(
        None, description="pid files, as a pattern below the state folder"
    )
    postgres: str | None = Field(None, description="connection id of a PostgreSQL cluster")
    proxy: str | None = Field(None, description="connection id of a TCP proxy with toxics")
    http: str | None = Field(None, description="connection id of an HTTP end point")
    tls: str | None = Field(None, description="connection id of an end point that serves TLS")
    load: str | None = Field(None, description="connection id of a load generator's control")
    environment: StatePath | None = Field(
        None, description="environment file that the service reads when it starts, a path below "
        "the state folder"
    )
    disk: StatePath | None = Field(
        None, description="folder on a small file system of its own, a path below the state folder"
    )
    audit: StatePath | None = Field(
        None, description="log of who read what, JSONL, a path below the state folder"
    )


class History(Frozen):
    """A workload's own log, and the query that reads back what is there in the end.

    Without a query it is judged by itself, whole: a new file for each run.
    """

    file: StatePath = Field(description="JSONL with Jepsen's field names, below the state folder")
    postgres: str | None = Field(None, description="connection id the query runs on")
    query: Filled | None = Field(
        None, description="one SELECT of one column: every key that is there"
    )
    operation: str | None = Field(
        None, description="operations that write keys; by default its name in the singular"
    )


class TargetSpec(Frozen):
    """What the suite is run against. One run with faults at a time for each environment."""

    environment: Name
    services: dict[Name, Selector] = Field(min_length=1)
    histories: dict[Name, History] = Field(default_factory=dict)
    workloads: tuple[WorkloadSpec, ...] = Field(
        (), description="sent from before the baseline until the data is checked"
    )
    prometheus: str = Field(
        "prometheus_default", description="connection id of the guard's Prometheus"
    )

    @property
    def history_names(self) -> tuple[str, ...]:
        """What a check may name: histories of the target's, and those of workloads."""
        return (*self.histories, *(w.name for w in self.workloads))

    def workload(self, name: str | None) -> WorkloadSpec | None:
        """The workload that writes the history of this name, if one does."""
        return next((w for w in self.workloads if w.name == name), None)

    def is_there(self, history: str | None) -> bool:
        """Whether there is a history of this name."""
        return history in self.history_names

    def query(self, history: str | None) -> str | None:
        """What reads a history back; a workload does that itself."""
        told = self.histories.get(history or "")
        return told.query if told else None


class Schedule(Frozen):
    """When the suite runs by itself."""

    cron: str
    time_zone: str = "UTC"


class Objective(Frozen):
    """A steady state: the indicator satisfies the bound."""

    name: Name
    indicator: Indicator
    objective: BoundText


class OnNoData(StrEnum):
    """What the guard does when it has seen nothing for the grace."""

    ABORT = "abort"
    HOLD = "hold"


class GuardSpec(Frozen):
    """How the fault is watched."""

    poll: Duration = timedelta(milliseconds=500)
    lease: Duration = timedelta(seconds=5)
    on_no_data: OnNoData = OnNoData.ABORT
    grace: Duration = timedelta(seconds=3)
    max_age: Duration | None = Field(
        None, description="how old a sample of Prometheus may be; the grace by default"
    )

    @property
    def oldest(self) -> timedelta:
        """How old a sample may be."""
        return self.grace if self.max_age is None else self.max_age


class Baseline(Frozen):
    """How long the target is looked at before the first fault."""

    window: Duration = timedelta(seconds=10)


class FaultSpec(Frozen):
    """What is broken, where, for how long; `delay` holds it back after the guard has begun.

    With `after` the guard begins only when the fault of that experiment, in the same round, is on.
    """

    type: str
    target: Name
    duration: Duration
    delay: Duration = timedelta(0)
    after: Name | None = None
    params: dict[str, Any] = Field(default_factory=dict)


class Expect(Frozen):
    """What must be true after the fault, for the experiment to be HELD."""

    recovery_within: Duration | None = None
    recovery_point: int | None = Field(
        None, ge=0, strict=True, description="acknowledged writes that may be lost"
    )
    checks: tuple[str, ...] = ()
    mechanisms: tuple[Name, ...] = Field(
        (), description="mechanisms that must be seen working while the fault is on"
    )


class Step(Frozen):
    """What one step of a rollout hits, and how hard, where that is not what the fault says."""

    target: Name | None = None
    params: dict[str, Any] = Field(default_factory=dict)


class Rollout(Frozen):
    """The fault in steps, the gentlest first: each in a round of its own, if the last one held."""

    steps: tuple[Step, ...] = Field(min_length=1)


class Experiment(Frozen):
    """One fault with the hypothesis it tests."""

    name: Name
    hypothesis: str = Field(min_length=1)
    fault: FaultSpec
    stop_on: dict[Name, Stops] = Field(
        default_factory=dict, description="by objective, what ends the fault in place of its bound"
    )
    blast_radius: OwnRadius = Field(
        OwnRadius(), description="where it may hit more than the suite allows"
    )
    expect: Expect = Expect()
    rollout: Rollout | None = None
    if_held: Name | None = Field(
        None, description="begin only if this experiment, of an earlier round, is HELD"
    )
    controls: tuple[str, ...] = Field(
        (), description="controls that it supports evidence for, beside those of the suite"
    )


class Round(Frozen):
    """Experiments that run side by side."""

    experiments: tuple[Experiment, ...] = Field(min_length=1)


class AfterAbort(StrEnum):
    """What happens to the later rounds after an abort."""

    STOP = "stop"
    CONTINUE = "continue"


class Consistency(Frozen):
    """A check of the data, after all rounds: of a history, or of a service's tables."""

    checker: str
    history: Name | None = None
    service: Name | None = Field(None, description="a service with a 'postgres' address")
    params: dict[str, Any] = Field(default_factory=dict)
    parts: int | None = Field(
        None, ge=2, le=64, strict=True,
        description="judge the keys of a large history in this many tasks, side by side",
    )


class Compliance(Frozen):
    """The controls that this suite supports evidence for, and who must have seen a run begin."""

    controls: tuple[str, ...] = ()
    cosigned: bool = Field(
        False, strict=True,
        description="no fault before enough witnesses have signed the log with the run's start",
    )
    log_down: Literal["strict", "buffer"] = Field(
        "strict",
        description="while the evidence log takes no record: no fault (strict), or records wait on "
        "this host's disk and are marked late (buffer)",
    )
    selftest: bool = Field(
        False, strict=True,
        description="break copies of the evidence log too: what is not found makes the run BROKEN",
    )


    @property
    def may_wait(self) -> bool:
        """Whether a record may wait for a log that is down."""
        return self.log_down == "buffer"


class Suite(Frozen):
    """A resilience suite."""

    api_version: Literal["holdfast/v1"] = Field(alias="apiVersion")
    kind: Literal["Suite"]
    metadata: Metadata
    target: TargetSpec
    objectives: tuple[Objective, ...] = Field(min_length=1)
    rounds: tuple[Round, ...] = Field(min_length=1)
    schedule: Schedule | None = None
    windows: Windows = Windows()
    retry_for: Duration = Field(
        timedelta(0), description="how long a postponed run tries again; 0 means not at all"
    )
    guard: GuardSpec = GuardSpec()
    baseline: Baseline = Baseline()
    health: HealthSpec = HealthSpec()
    approval: ApprovalSpec | None = None
    budget: BudgetSpec | None = None
    traffic: Traffic | None = None
    blast_radius: BlastRadius = BlastRadius()
    mechanisms: dict[Name, MechanismSpec] = Field(default_factory=dict)
    after_abort: AfterAbort = AfterAbort.STOP
    consistency: tuple[Consistency, ...] = ()
    compliance: Compliance = Compliance()

    @property
    def time_zone(self) -> str:
        """Whose wall clock counts."""
        return self.windows.time_zone or (self.schedule.time_zone if self.schedule else "UTC")
