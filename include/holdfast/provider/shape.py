"""The tasks of a run and the rules between them."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, TaskGroup, TriggerRule

from holdfast.model.approval_spec import ApprovalSpec
from holdfast.model.suite import Suite
from holdfast.plan.outline import Outline, OutlineExperiment, outline
from holdfast.provider.operators.arm import ArmFaultOperator
from holdfast.provider.operators.baseline import BaselineOperator
from holdfast.provider.operators.consistency import ConsistencyOperator
from holdfast.provider.operators.plan import PlanOperator
from holdfast.provider.operators.preflight import PreflightOperator
from holdfast.provider.operators.recovery import RecoveryOperator
from holdfast.provider.operators.report import ReportOperator
from holdfast.provider.operators.reserve import ReserveOperator
from holdfast.provider.operators.revert import RevertFaultOperator
from holdfast.provider.operators.score import ScoreOperator
from holdfast.provider.operators.seal import SealOperator
from holdfast.provider.operators.settle import SettleOperator
from holdfast.provider.operators.steady import SteadyOperator
from holdfast.provider.operators.verdict import VerdictOperator
from holdfast.provider.sensors.hold import HoldFaultSensor

_MINUTE = timedelta(minutes=1)
_EVIDENCE: dict[str, Any] = {"trigger_rule": TriggerRule.ALL_DONE}  # the worst runs need it most


def lay_out(suite: Suite, suite_file: str) -> None:
    """Put the suite's tasks into the DAG that is open now."""
    shape = outline(suite)
    plan = PlanOperator(
        task_id="plan",
        suite_file=suite_file,
        experiments=[e.name for step in shape.rounds for e in step],
        execution_timeout=_MINUTE,
    )
    preflight = PreflightOperator(task_id="preflight", execution_timeout=_MINUTE)
    reserve = ReserveOperator(task_id="reserve", execution_timeout=_MINUTE).as_setup()
    baseline = BaselineOperator(
        task_id="baseline", execution_timeout=suite.baseline.window + 2 * _MINUTE
    )
    plan >> preflight >> reserve >> baseline
    if suite.approval is not None:
        preflight >> _approval(suite.approval) >> reserve
    ends, reverts = _rounds(suite, shape, baseline)
    _close(suite.metadata.name, reserve, _parts(suite, ends), reverts)


def _approval(spec: ApprovalSpec) -> BaseOperator:
    from holdfast.provider.operators.approval import ApprovePlanOperator  # most suites need none

    return ApprovePlanOperator(task_id="approval", wait=spec.wait, execution_timeout=_MINUTE)


def _rounds(
    suite: Suite, shape: Outline, baseline: BaseOperator
) -> tuple[list[BaseOperator], list[BaseOperator]]:
    """One round after the other; give back what ends the last one, and every revert."""
    before: list[BaseOperator] = [baseline]
    reverts: list[BaseOperator] = []
    recoveries = {
        e.name: e.expect.recovery_within or _MINUTE for r in suite.rounds for e in r.experiments
    }
    for index, experiments in enumerate(shape.rounds):
        with TaskGroup(f"round_{index + 1}"):
            steady = SteadyOperator(
                task_id="steady",
                round_index=index,
                # after a wait it takes the environment again and measures anew
                execution_timeout=suite.baseline.window + 3 * _MINUTE,
                # a fault that was left out must not skip the rounds after it
                trigger_rule=TriggerRule.NONE_FAILED if index else TriggerRule.ALL_SUCCESS,
            )
            before >> steady
            before = []
            for experiment in experiments:
                revert, recovery = _experiment(steady, experiment, recoveries[experiment.name])
                reverts.append(revert)
                before += [revert, recovery]
    return before, reverts


def _experiment(
    steady: BaseOperator, experiment: OutlineExperiment, recovery_within: timedelta
) -> tuple[BaseOperator, BaseOperator]:
    """The life of one fault: the revert runs whatever becomes of the inject."""
    with TaskGroup(experiment.name) as group:
        arm = ArmFaultOperator(
            task_id="arm", experiment=experiment.name, retries=0, execution_timeout=5 * _MINUTE
        ).as_setup()
        lease_id = f"{{{{ ti.xcom_pull(task_ids='{group.child_id('arm')}') }}}}"
        inject = HoldFaultSensor(
            task_id="inject",
            experiment=experiment.name,
            lease_id=lease_id,
            retries=0,
            execution_timeout=2 * _MINUTE,  # of the task's own parts; it bounds its deferral itself
        )
        revert = RevertFaultOperator(
            task_id="revert",
            lease_id=lease_id,
            retries=10,
            retry_delay=timedelta(seconds=5),
            execution_timeout=experiment.timeout + 3 * _MINUTE,
        ).as_teardown(setups=arm, on_failure_fail_dagrun=True)
        recovery = RecoveryOperator(
            task_id="recovery",
            experiment=experiment.name,
            lease_id=lease_id,
            execution_timeout=recovery_within + 2 * _MINUTE,
        )
    steady >> arm >> inject >> revert >> recovery
    return revert, recovery


def _parts(suite: Suite, ends: list[BaseOperator]) -> list[Any]:
    """Judge large histories in tasks of their own before `consistency`; give back what is last."""
    from holdfast.steps.items import keys

    parts = [
        {"item": number, "part": part, "called": f"{name} {part + 1}/{spec.parts}"}
        for number, (name, spec) in enumerate(zip(keys(suite), suite.consistency, strict=True))
        for part in range(spec.parts or 0)
    ]
    if not parts:
        return ends
    from holdfast.provider.operators.parts import CheckPartOperator, KeepOperator

    keep = KeepOperator(task_id="keep", execution_timeout=5 * _MINUTE, **_EVIDENCE)
    check = CheckPartOperator.partial(
        task_id="check_part", execution_timeout=15 * _MINUTE,
        map_index_template="{{ task.called }}", **_EVIDENCE,
    ).expand_kwargs(parts)
    ends >> keep >> check
    return [check]


def _close(
    name: str, reserve: BaseOperator, ends: list[Any], reverts: list[BaseOperator]
) -> None:
    """From the last round to the only leaf."""
    consistency = ConsistencyOperator(
        task_id="consistency", execution_timeout=15 * _MINUTE, **_EVIDENCE
    )
    settle = SettleOperator(task_id="settle", execution_timeout=2 * _MINUTE, **_EVIDENCE)
    score = ScoreOperator(task_id="score", execution_timeout=2 * _MINUTE, **_EVIDENCE)
    seal = SealOperator(
        task_id="seal",
        retries=2,
        retry_delay=timedelta(seconds=2),
        execution_timeout=15 * _MINUTE,  # it may have to revert what is still open
        outlets=[Asset(name=f"holdfast-{name}", uri=f"holdfast://suite/{name}")],
        **_EVIDENCE,
    )
    report = ReportOperator(
        task_id="report",
        retries=1,
        retry_delay=timedelta(seconds=2),
        execution_timeout=2 * _MINUTE,
        **_EVIDENCE,
    )
    verdict = VerdictOperator(
        task_id="verdict",
        retries=2,
        retry_delay=timedelta(seconds=2),
        execution_timeout=15 * _MINUTE,  # as `seal`
    ).as_teardown(setups=reserve, on_failure_fail_dagrun=True)
    ends >> consistency >> settle >> score >> seal >> report >> verdict
    reverts >> verdict  # in the open, though Airflow holds a teardown back for all in its scope
