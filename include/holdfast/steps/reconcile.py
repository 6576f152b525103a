"""Compare the log with books, journals and Airflow: what one has and another has not is told."""

from collections.abc import Mapping, Sequence

from holdfast.errors import EvidenceError
from holdfast.evidence.envelope import read, statement_of
from holdfast.evidence.reconcile import Known, reconcile
from holdfast.evidence.trouble import Injection, Trouble
from holdfast.model.lease import LeaseState
from holdfast.model.record import Statement
from holdfast.model.run import RunState
from holdfast.ports.bundle import Ports

ALL = 2**31 - 1


def reconciled(ports: Ports, airflow: Mapping[str, bool] | None = None) -> Sequence[Trouble]:
    """Every run or fault that is missing somewhere; `airflow` as `Known` says."""
    books = {run.id: run.state is RunState.STARTED for run in ports.books.runs(ALL)}
    books |= {  # a run that was never planned has nothing that could be signed
        run.id: True for run in ports.books.runs(ALL)
        if run.state is RunState.POSTPONED and not run.plan_digest}
    statements, damaged = dict[int, Statement](), list[Trouble]()
    if left := ports.notary.drain():
        damaged.append(Trouble(
            "E_NOT_IN_LOG", "spool", "every record in the log", f"{left} that wait on this host",
            "the log is down, or what waits was changed"))
    for record in ports.notary.records():
        try:
            statements[record.index] = statement_of(read(record.envelope))
        except EvidenceError as error:
            damaged.append(Trouble("E_MALFORMED", f"record {record.index}", "an envelope",
                                   str(error), "it was edited"))
    return [*damaged, *reconcile(statements, Known(books, _faults(ports), airflow))]


def _faults(ports: Ports) -> Mapping[str, Sequence[Injection]]:
    """Injections by run, by the journals on this host."""
    found: dict[str, list[Injection]] = {}
    for lease_id in ports.journals.ids():
        try:
            journal = ports.journals.open(lease_id)
            lease, lines = journal.lease(), journal.lines()
        except (KeyError, EvidenceError):
            continue  # the janitor tells of a journal that is damaged
        begun = [line for line in lines if line.state is LeaseState.INJECTING]
        if begun and lease.run_id:
            told = Injection(lease_id, lease.boot_id, round(begun[0].boottime * 1000))
            found.setdefault(lease.run_id, []).append(told)
    return found
