"""Take an approval back: what was broken on it ends, and nothing more of the run begins."""

from collections.abc import Mapping

from holdfast.errors import EvidenceError, HoldfastError, SpecError
from holdfast.model.approval import Answer, Approval
from holdfast.model.lease import LeaseState, Reason, Revocation
from holdfast.model.run import RunState
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import record, signed_answer
from holdfast.steps.book import run_of
from holdfast.steps.limit import within
from holdfast.steps.stop import STORE_SECONDS, end_faults


def withdraw(ports: Ports, run_id: str, by: str, why: str) -> dict[str, LeaseState]:
    """End every fault of the run, say how each ended, and sign who took the approval back and why.

    The faults end first, by the same three ways as a stop: neither Airflow nor the books are
    needed for it. SpecError if there is nothing to take back; EvidenceError, once the faults have
    ended, if it cannot be signed: again it signs what is missing.
    """
    told = _approved(ports, run_id)
    at = ports.clock.now().isoformat()
    taken_back = Revocation(Reason.WITHDRAWN, f"approval withdrawn: {why}", by, at)
    ends = end_faults(ports, taken_back, run_id)
    if told is None:
        told = _approved(ports, run_id)  # the log may answer by now
    if told is None:
        raise HoldfastError(
            f"run '{run_id}' was stopped, but what was approved cannot be read, so nothing is "
            "signed: withdraw it again when the evidence log can be read"
        )
    if told.answer is Answer.APPROVED:
        taken = Approval(
            told.plan_digest, Answer.WITHDRAWN, by, ports.clock.now(), why, approved_by=told.by
        )
        try:
            record(ports, run_id, taken)
        except EvidenceError as error:
            raise _not_signed(ends, error) from error
    return ends


def _not_signed(ends: Mapping[str, LeaseState], error: EvidenceError) -> EvidenceError:
    ended = ", ".join(f"lease {i} {state}" for i, state in ends.items()) or "none was on"
    return EvidenceError(
        f"the run is stopped ({ended}), but that its approval was taken back is not signed: "
        f"{error}. Withdraw it again while the run goes on; its result names, in any case, who "
        "ended its faults and why")


def _approved(ports: Ports, run_id: str) -> Approval | None:
    """What there is to take back; None if that cannot be read now."""
    try:
        run, told = within(
            STORE_SECONDS, lambda: (run_of(ports, run_id), signed_answer(ports, run_id)),
            "reading what was approved",
        )
    except SpecError:
        raise
    except (HoldfastError, OSError):
        return None
    if run.state is not RunState.STARTED:
        raise SpecError(f"run '{run_id}' is {run.state.value}: there is nothing to take back")
    if told is None or told.answer not in (Answer.APPROVED, Answer.WITHDRAWN):
        has = "is not approved" if told is None else f"was {told}"
        raise SpecError(f"run '{run_id}' {has}", hint="holdfast stop ends any run")
    return told
