"""Take the environment for the run, and put its start on record before any fault."""

from holdfast.errors import ApprovalRefused, EvidenceError, NotApproved, Postponed, Stopped
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import EntryKind
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import expect_approved
from holdfast.steps.book import is_dry, note_stop, plan_of, run_of, suite_entry, suite_of, write
from holdfast.steps.cosign import expect_cosigned
from holdfast.steps.spend import give_back, set_aside

RUN_START = PREDICATES + "run-start/v1"


def reserve(ports: Ports, run_id: str) -> None:
    """Lock the environment, set its money aside and append the signed start.

    NotApproved if the plan must be approved and is not. Postponed if another run has the
    environment, or the day's budget has too little left. Stopped if somebody has stopped the run
    already.

    A run that cannot be put on record, or whose record too few witnesses have seen, gives
    environment and money back. The epoch is remembered:
    when it has risen, somebody has stopped the run, even between two rounds.
    """
    if why := note_stop(ports, run_id):
        raise Stopped(why)
    try:
        expect_approved(ports, run_id)
    except ApprovalRefused as refused:
        raise NotApproved(refused.reason) from refused
    suite = suite_of(ports, run_id)
    environment = suite.target.environment
    ports.leases.lock(environment, run_id)
    epoch = ports.leases.environment(environment).epoch
    write(ports, run_id, EntryKind.RESERVED, environment, {"epoch": epoch})
    try:
        set_aside(ports, run_id, suite)
        if not _is_on_record(ports, run_id):
            ports.notary.append(run_id, _statement(ports, run_id),
                                may_wait=suite.compliance.may_wait)
        expect_cosigned(ports, run_id)
    except (EvidenceError, Postponed):
        ports.leases.unlock(environment, run_id)
        give_back(ports, run_id)
        raise


def _is_on_record(ports: Ports, run_id: str) -> bool:
    """A start counts for the plan it follows: after a later plan, the run starts anew."""
    kinds = [record.predicate_type for record in ports.notary.so_far(run_id)]
    return bool(kinds) and RUN_START in kinds and kinds[-1] == RUN_START


def _statement(ports: Ports, run_id: str) -> Statement:
    run, planned = run_of(ports, run_id), plan_of(ports, run_id)
    suite, digest = suite_of(ports, run_id), str(planned["digest"])
    return Statement(
        RUN_START,
        {f"{run.suite}.plan.json": digest.removeprefix("sha256:")},
        {
            "run_id": run_id,
            "suite": run.suite,
            "suite_digest": str(suite_entry(ports, run_id)["digest"]),
            "environment": run.environment,
            "plan_digest": digest,
            "triggered_by": run.triggered_by,
            "started_at": run.started_at,
            "dry_run": is_dry(ports, run_id),
            "controls": list(suite.compliance.controls),
        },
    )
