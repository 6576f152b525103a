"""Assessment results: a result for each run that has begun."""

from collections.abc import Iterator, Sequence

from holdfast.model.approval import Answer
from holdfast.oscal.findings import Closed, findings, risks
from holdfast.oscal.log import Basis, entry
from holdfast.oscal.matter import document, files, party_uid, people, reference, reviewed
from holdfast.oscal.observations import artefact_uid, observations
from holdfast.oscal.plan import task_uid
from holdfast.oscal.runs import Run, Signed
from holdfast.oscal.told import ApprovalTold, ResultTold, StartTold, Told, Way
from holdfast.oscal.units import NOT_BY_RUNS, controls_of
from holdfast.oscal.words import Json, plain, props, some, uid

KIND = "assessment-results"
_ANSWERS = {
    Answer.APPROVED: "approved the plan", Answer.REFUSED: "refused the plan",
    Answer.TIMED_OUT: "was asked about the plan and did not answer",
    Answer.WITHDRAWN: "took the approval of the plan back",
}


def results(runs: Sequence[Run], basis: Basis, closed: Closed, plan: Json) -> Json:
    """Write the document; `plan` is the resource that says where the assessment plan is."""
    begun = [run for run in runs if run.way]
    return document(KIND, "Resilience tests: results", basis.log, runs, {
        "metadata": people(begun),
        "import-ap": {"href": f"#{plan['uuid']}"},
        "results": [_result(run, run.way, basis, closed) for run in begun if run.way],
        "back-matter": {"resources": [
            plan, basis.log.resource, *(one for run in begun for one in files(run)),
        ]},
    })


def _result(run: Run, way: Way, basis: Basis, closed: Closed) -> Json:
    result = run.result
    named = controls_of(run)
    known = [basis.controls[name] for name in sorted(named) if name in basis.controls]
    seen = list(observations(result, basis)) if result else []
    return {
        "uuid": uid("result", run.log, run.id),
        "title": plain(f"Run {run.id} of suite {way.suite}"),
        "description": plain(_description(way)),
        "start": way.started_at.isoformat(),
        **({"end": result.told.sealed_at.isoformat()} if result else {}),
        "props": props(**_about(run, way)),
        **some(links=[
            reference(artefact_uid(report, name, digest)) for report in run.reports[-1:]
            for name, digest in sorted(report.subjects.items())
        ]),
        "reviewed-controls": reviewed(known),
        **some(attestations=[_attestation(run, one) for one in run.approvals]),
        "assessment-log": {"entries": [_logged(run, one) for one in run.records]},
        **some(
            observations=seen,
            risks=list(risks(result, basis, closed)) if result else [],
            findings=list(findings(result, basis)) if result else [],
        ),
        "remarks": plain(" ".join(_remarks(run, named, basis))),
    }


def _description(way: Way) -> str:
    where = f"Suite {way.suite} in {way.environment}"
    if not isinstance(way, ResultTold):
        return f"{where}: no result is on record. The run goes on, or its end was hidden."
    if way.is_postponed:
        return f"{where}: postponed, so nothing was tested. {way.reason}"
    return f"{where}: {way.verdict.name}. {way.reason}"


def _about(run: Run, way: Way) -> dict[str, object]:
    dry = {"dry_run": True} if any(start.told.dry_run for start in run.starts[-1:]) else {}
    about = {"run_id": run.id, "suite": way.suite, "environment": way.environment,
             "plan_digest": way.plan_digest, "triggered_by": way.triggered_by, **dry}
    if not isinstance(way, ResultTold):
        return about
    counts = {f"checks_{name.lower()}": n for name, n in sorted(way.counts.items())}
    catalogues = {f"catalogue_{name}": d for name, d in sorted(way.catalogues.items())}
    standing = "postponed" if way.is_postponed else way.verdict.name
    return {**about, "verdict": standing, **counts, **catalogues}


def _remarks(run: Run, named: set[str], basis: Basis) -> Iterator[str]:
    """Say what the findings leave out."""
    yield "Every finding that did not hold is an observation; all of them are in book.json."
    not_here = sorted(n for n in named & set(basis.controls)
                      if basis.controls[n].strength in NOT_BY_RUNS)
    if not_here:
        yield f"No run can show anything of {', '.join(not_here)}."
    if unknown := sorted(named - set(basis.controls)):
        yield f"The catalogue does not know {', '.join(unknown)}."
    if run.result and len(run.results) > 1:
        yield f"The result in record {run.result.index} replaces earlier ones."
    if run.result and run.starts and run.starts[-1].index > run.result.index:
        yield "The run was started again and has no new result yet."


def _attestation(run: Run, answer: Signed[ApprovalTold]) -> Json:
    told = answer.told
    who = {"role-id": "approver", "party-uuids": [party_uid(run.log, told.by)]}
    said = f"{told.by or 'Nobody'}: {_ANSWERS[told.answer]} {told.plan_digest}. {told.why}"
    return {
        **some(responsible_parties=[who] if told.by.strip() else []),
        "parts": [{
            "uuid": uid("attestation", run.log, answer.index), "name": "approval",
            "title": plain(f"Answer: {told.answer.value}"), "prose": plain(said),
            "props": props(answer=told.answer.value, plan_digest=told.plan_digest,
                           log_index=answer.index, recorded_at=answer.at.isoformat()),
            "links": [{"href": entry(answer.index), "rel": "evidence"}],
        }],
    }


def _logged(run: Run, record: Signed[Told]) -> Json:
    """An entry for a record, so that all that is known of the run can be looked up in the log."""
    plans = [one for one in run.plans if one.index <= record.index]
    tasks = [{"task-uuid": task_uid(plans[-1])}] if plans else []
    at = record.at.isoformat()
    return {
        "uuid": uid("entry", run.log, record.index),
        "title": f"Record {record.index}: {record.kind}", "start": at, "end": at,
        "props": props(log_index=record.index, predicate_type=record.kind),
        "links": [{"href": entry(record.index), "rel": "evidence"}],
        **some(logged_by=_by(record), related_tasks=tasks),
    }


def _by(record: Signed[Told]) -> list[Json]:
    told, name, role = record.told, "", "approver"
    if isinstance(told, ApprovalTold):
        name = told.by
    elif isinstance(told, StartTold):
        name, role = told.triggered_by, "requester"
    return [{"party-uuid": party_uid(record.log, name), "role-id": role}] if name.strip() else []
