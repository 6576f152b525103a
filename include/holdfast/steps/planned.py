"""Look again at what a fault would hit, when it is armed: a plan may be older than its targets."""

from functools import partial
from typing import Any

from holdfast.errors import ApprovalRefused, SafetyError
from holdfast.model.fault import Fault
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.safety.targets import drifted
from holdfast.steps.approval import why_asked
from holdfast.steps.book import plan_of, write_finding
from holdfast.steps.limit import within

NAME = "targets"
"""Name of the finding that a fault would have hit something else than was planned."""
_SECONDS = 10.0


def expect_as_planned(ports: Ports, run_id: str, experiment: str, fault: Fault) -> None:
    """Refuse, with a finding, a fault that would hit more than its plan says, or something else.

    ApprovalRefused where the plan was approved, as that said nothing about these targets.
    """
    planned: Any = plan_of(ports, run_id)["experiments"]
    targets: Any = next((e["targets"] for e in planned if e["name"] == experiment), [])
    driver = ports.drivers[fault.type]
    now = within(_SECONDS, partial(driver.targets, fault), "targets")
    if not (drift := drifted(targets, now)):
        return
    is_approved = bool(why_asked(ports, run_id))
    cure = "trigger a new run" + (" and have that approved" if is_approved else "")
    text = f"{drift}; {cure}"
    write_finding(ports, run_id, Finding(NAME, Verdict.UNKNOWN, text, experiment))
    raise (ApprovalRefused if is_approved else SafetyError)(f"{experiment}: {text}")
