"""Where a run took place, what proves it, and how to repeat it."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from holdfast.errors import EvidenceError, SpecError
from holdfast.evidence.keys import key_id, public_key
from holdfast.model.run import EntryKind, Run
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.reports._content import File, Proof
from holdfast.steps import indicate
from holdfast.steps.approval import ANSWER
from holdfast.steps.book import plan_of, suite_entry
from holdfast.steps.seal import REPORT, REPORT_PREFIX


def proof(ports: Ports, run_id: str) -> Proof:
    """Name the signed records and the files of the run."""
    files = [
        File(a.name, a.digest, a.size) for a in ports.artefacts.of(run_id)
        if not a.name.startswith(REPORT_PREFIX)
    ]
    try:
        records = [
            (r.index, r.predicate_type.rpartition("/evidence/")[2], r.recorded_at)
            for r in ports.notary.records(run_id)
            if r.predicate_type != REPORT  # a report that names itself would never be the same
        ]
        return Proof(key_id(public_key(ports.notary.public_key())), records, files)
    except EvidenceError as error:
        return Proof("", (), files, f"The evidence log cannot be read: {error}")


def facts(ports: Ports, run_id: str, suite: Suite) -> list[tuple[str, str]]:
    """Name versions, machine, digests and addresses."""
    try:
        installed = version("holdfast")
    except PackageNotFoundError:
        installed = "from a checkout"
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    told = [
        ("Holdfast", installed), ("Machine", f"{machine}, Python {platform.python_version()}"),
        ("Suite", str(suite_entry(ports, run_id)["digest"])), ("Plan", _plan_digest(ports, run_id)),
    ]
    if approval := answered(ports, run_id):
        told.append(("Approval", approval))
    if indicate.needs_prometheus(suite):
        told.append(("Prometheus", suite.target.prometheus))
    told += [(o.name, f"{o.objective}: {o.indicator}") for o in suite.objectives]
    for name, selector in suite.target.services.items():
        where = selector.model_dump(exclude_none=True)
        told.append((name, ", ".join(f"{kind} {place}" for kind, place in where.items())))
    return [*told, *_stake(ports, run_id), *_waits(ports, run_id)]


def _stake(ports: Ports, run_id: str) -> list[tuple[str, str]]:
    entries = ports.books.read(run_id, EntryKind.IMPACT)
    return [("Impact", f"{e.data['score']} of 100 ({e.data['level']})") for e in entries]


def _waits(ports: Ports, run_id: str) -> list[tuple[str, str]]:
    entries = ports.books.read(run_id, EntryKind.WAIT)
    return [(f"Postponed, {e.name}", f"until {e.data['again']}: {e.data['reason']}")
            for e in entries]


def answered(ports: Ports, run_id: str) -> str:
    """Who approved the plan, or did not, and when; empty if nobody had to."""
    entries = ports.books.read(run_id, EntryKind.APPROVAL)
    for entry in entries:
        if entry.name == ANSWER:
            return _answered(entry.data, entry.at)
    return ""


def _answered(data: Mapping[str, object], at: str) -> str:
    by = f" by {data['by']}" if data["by"] else ""
    was = f", had been approved by {data['approved_by']}" if data["approved_by"] else ""
    why = f": {data['why']}" if data["why"] else ""
    moment = at[:19].replace("T", " ")
    return f"{str(data['answer']).replace('_', ' ')}{by}{was}, {moment} UTC{why}"


def repeat(ports: Ports, run: Run) -> list[str]:
    """Give the commands that run it again and check what it left."""
    only = suite_entry(ports, run.id)["only"]
    names = only if isinstance(only, list | tuple) else ()
    options = "".join(f" --only {name}" for name in names)
    return [
        f"holdfast run {run.suite}{options}", f"holdfast evidence show {run.id}",
        f"holdfast evidence verify {run.id}", f"holdfast report {run.id} --format pdf",
    ]


def left_out(ports: Ports, run_id: str, suite: Suite) -> list[str]:
    """Name the experiments that the person did not choose."""
    whole = Suite.model_validate(suite_entry(ports, run_id)["suite"])
    chosen = {e.name for step in suite.rounds for e in step.experiments}
    return [e.name for step in whole.rounds for e in step.experiments if e.name not in chosen]


def _plan_digest(ports: Ports, run_id: str) -> str:
    try:
        return str(plan_of(ports, run_id)["digest"])
    except SpecError:
        return "none: the targets could not be resolved"
