"""Assessment plan: a task for each plan of a suite, an activity for each experiment of it."""

from collections.abc import Iterable, Sequence

from holdfast.model.control import Control
from holdfast.oscal.log import Basis, entry
from holdfast.oscal.matter import assets, document, reviewed, services, system
from holdfast.oscal.observations import component_uid
from holdfast.oscal.runs import Run, Signed
from holdfast.oscal.told import Planned, PlanTold
from holdfast.oscal.units import controls_of
from holdfast.oscal.words import METHOD, Json, plain, props, some, uid

KIND = "assessment-plan"


def plan(runs: Sequence[Run], basis: Basis) -> Json:
    """Write the document. Of runs with the same plan, the first record of it speaks for all."""
    made = {p.told.plan_digest: p for run in reversed(runs) for p in reversed(run.plans)}
    ordered = sorted(made.values(), key=lambda one: one.index)
    under, hit = system(runs, basis.log), services(runs)
    activities = [
        _activity(one, experiment, runs, basis)
        for one in ordered for experiment in one.told.experiments
    ]
    everywhere = _selected([c for run in runs for c in controls_of(run)], basis)
    return document(KIND, "Resilience tests: plan", basis.log, runs, {
        "import-ssp": {"href": f"#{under['uuid']}"},
        **some(local_definitions=some(components=hit, activities=activities)),
        "reviewed-controls": reviewed(everywhere),
        **some(assessment_subjects=[_subjects(one["uuid"] for one in hit)] if hit else []),
        "assessment-assets": assets(),
        **some(tasks=[_task(one) for one in ordered]),
        "back-matter": {"resources": [under, basis.log.resource]},
    })


def task_uid(signed: Signed[PlanTold]) -> str:
    """Name a plan as something to do."""
    return uid("task", signed.log, signed.told.plan_digest)


def _activity_uid(signed: Signed[PlanTold], experiment: Planned) -> str:
    return uid("activity", signed.log, signed.told.plan_digest, experiment.name)


def _activity(
    signed: Signed[PlanTold], one: Planned, runs: Sequence[Run], basis: Basis
) -> Json:
    told, fault = signed.told, one.fault
    within = [r for r in runs for p in r.plans if p.told.plan_digest == told.plan_digest]
    named = _selected([c for run in within for c in controls_of(run, one.name)], basis)
    return {
        "uuid": _activity_uid(signed, one), "title": plain(one.name),
        "description": plain(
            f"Inject {fault.type} into {fault.service} for {fault.duration_ms} ms, "
            f"{fault.delay_ms} ms after the round began; watch the objectives; revert; check."),
        "props": [
            {"name": "method", "value": METHOD},
            *props(suite=told.suite, round=one.round, fault_type=fault.type, effect=one.effect,
                   targets=", ".join(target.name for target in one.targets)),
        ],
        **({"related-controls": reviewed(named)} if named else {}),
    }


def _task(signed: Signed[PlanTold]) -> Json:
    told = signed.told
    return {
        "uuid": task_uid(signed), "type": "action", "title": plain(f"Suite {told.suite}"),
        "description": plain(f"Run suite {told.suite} in {told.environment} by this plan."),
        "props": props(
            suite=told.suite, suite_digest=told.suite_digest, plan_digest=told.plan_digest,
            environment=told.environment, log_index=signed.index,
        ),
        "links": [{"href": entry(signed.index), "rel": "evidence"}],
        **some(associated_activities=[
            {
                "activity-uuid": _activity_uid(signed, one),
                "subjects": [_subjects({
                    component_uid(signed.log, told.environment, service): None
                    for service in (one.fault.service, *(t.service for t in one.targets))
                })],
            }
            for one in told.experiments
        ]),
    }


def _subjects(uuids: Iterable[str]) -> Json:
    return {"type": "component", "include-subjects": [
        {"subject-uuid": one, "type": "component"} for one in uuids]}


def _selected(names: Iterable[str], basis: Basis) -> list[Control]:
    return [basis.controls[name] for name in sorted({*names}) if name in basis.controls]
