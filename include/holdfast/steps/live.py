"""What is known of a run now, for people who watch it. It only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.model.lease import Environment, Lease, LeaseState
from holdfast.model.ledger import Posting
from holdfast.model.run import Artefact, EntryKind, Run, RunState
from holdfast.model.suite import Experiment, Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.reports._content import Blast, Guarded, Health, Mechanism, Spend
from holdfast.safety.conditions import Condition, conditions
from holdfast.safety.ledger import balance
from holdfast.steps.approval import ANSWER, ASKED
from holdfast.steps.book import findings, stopped_since, suite_of
from holdfast.steps.content_entries import blasts, health, mechanisms, spends
from holdfast.steps.content_guard import guarded
from holdfast.steps.content_setting import answered
from holdfast.steps.judge import judged
from holdfast.steps.postpone import waits
from holdfast.steps.seal import REPORT_PREFIX


class Standing(StrEnum):
    """How far a phase of the run has come."""

    DONE = "done"
    NOW = "now"
    WAITING = "waiting"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the run in the order of doing; `verdict` is None until it has one."""

    name: str
    standing: Standing
    text: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """One fault's lease, what its guard decided, and what would end the fault."""

    lease: Lease
    told: Guarded
    conditions: Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Live:
    """A run as the stores have it now.

    `stopped` says why no further fault may begin, `waits` until when it does not try, if so.
    `asked` is why it waits for an approval, while it does; `answered` what became of that.
    """

    run: Run
    suite: Suite
    environment: Environment
    phases: Sequence[Phase]
    watched: Sequence[Watched]
    checks: Sequence[Finding]
    mechanisms: Sequence[Mechanism]
    spends: Sequence[Spend]
    blasts: Sequence[Blast]
    health: Health | None
    files: Sequence[Artefact]
    stopped: str = ""
    waits: str = ""
    asked: str = ""
    answered: str = ""

    @property
    def leases(self) -> Sequence[Lease]:
        """The leases of the run, oldest first."""
        return [watched.lease for watched in self.watched]

    @property
    def reports(self) -> Sequence[Artefact]:
        """The report in each of its forms, as far as it is written."""
        return [file for file in self.files if file.name.startswith(REPORT_PREFIX)]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change any more."""
        return self.run.state is not RunState.STARTED


def look(ports: Ports, run_id: str) -> Live | None:
    """Read everything about a run; None if no book of it has been opened yet."""
    run = ports.books.run(run_id)
    if run is None or not ports.books.read(run_id, EntryKind.SUITE):
        return None
    suite, found = suite_of(ports, run_id), findings(ports, run_id)
    leases, files = ports.leases.leases(run_id=run_id), ports.artefacts.of(run_id)
    going = run.state is RunState.STARTED
    return Live(
        run=run, suite=suite, environment=ports.leases.environment(run.environment),
        phases=_phases(ports, run, suite, found, files),
        watched=[_watched(ports, suite, lease) for lease in leases], checks=found,
        mechanisms=mechanisms(found, suite),
        spends=spends(ports, run_id) or _set_aside(ports, run_id),
        blasts=blasts(found),
        health=health(ports, run_id), files=files,
        stopped=stopped_since(ports, run_id) if going else "",
        waits=_waits(ports, run) if going else "",
        asked=_asked(ports, run_id) if going else "", answered=answered(ports, run_id),
    )


def _waits(ports: Ports, run: Run) -> str:
    tries = waits(ports, run.id)
    if not tries or ports.leases.environment(run.environment).locked_by == run.id:
        return ""
    return f"{tries[-1].data['reason']}; it tries again at {tries[-1].data['again']}"


def _asked(ports: Ports, run_id: str) -> str:
    """What the run waits for. The entry written last tells: a later answer ends the wait."""
    told = [e for e in ports.books.read(run_id, EntryKind.APPROVAL) if e.name in (ASKED, ANSWER)]
    if not told or told[-1].name == ANSWER:
        return ""
    return f"{told[-1].data['why']}; no answer until {_moment(told[-1].data['until'])} is a no"


def _moment(at: object) -> str:
    return f"{str(at)[:19].replace('T', ' ')} UTC"


def _watched(ports: Ports, suite: Suite, lease: Lease) -> Watched:
    own = (e for step in suite.rounds for e in step.experiments if e.name == lease.experiment)
    experiment = next(own, None)
    return Watched(
        lease, guarded(ports, lease), conditions(suite, experiment) if experiment else ()
    )


def _set_aside(ports: Ports, run_id: str) -> list[Spend]:
    """What the ledger holds for the run until it is settled."""
    by_place: dict[tuple[str, str], list[Posting]] = {}
    for posting in ports.ledger.postings(run_id=run_id):
        by_place.setdefault((posting.experiment, posting.currency), []).append(posting)
    told = []
    for (experiment, currency), postings in by_place.items():
        sums = balance(postings)
        told.append(Spend(
            experiment, str(sums.reserved), str(sums.spent), str(sums.released), currency, "–", "–",
        ))
    return told


def _phases(
    ports: Ports, run: Run, suite: Suite, found: Sequence[Finding], files: Sequence[Artefact]
) -> list[Phase]:
    """In the order of the DAG; of a run that goes on, the first that is not done is now."""
    written = {entry.kind for entry in ports.books.read(run.id)}
    checkers = tuple(c.checker for c in suite.consistency)
    data = [f for f in found if not f.experiment and f.name.startswith(checkers)]
    phases = [
        _phase("plan", EntryKind.PLAN in written),
        *_approval(ports, run.id),
        _phase("baseline", EntryKind.BASELINE in written),
        *_experiments(ports, run, suite, found),
        *([_phase("data", bool(data), Verdict.worst(f.verdict for f in data))] if checkers else []),
        _phase("evidence", EntryKind.VERDICT in written),
        _phase("report", any(a.name.startswith(REPORT_PREFIX) for a in files)),
        _phase("verdict", run.verdict is not None, run.verdict),
    ]
    if run.state is not RunState.STARTED:
        return [_unless_done(phase) for phase in phases]
    if all(phase.standing is not Standing.NOW for phase in phases):
        first = next((p for p in phases if p.standing is Standing.WAITING), None)
        phases = [replace(p, standing=Standing.NOW) if p is first else p for p in phases]
    return phases


def _approval(ports: Ports, run_id: str) -> list[Phase]:
    """Only where somebody was asked."""
    asked, told = _asked(ports, run_id), answered(ports, run_id)
    if asked:
        return [Phase("approval", Standing.NOW, f"Waits for a person, as {asked}.")]
    return [Phase("approval", Standing.DONE, told)] if told else []


def _phase(name: str, done: bool, verdict: Verdict | None = None) -> Phase:
    standing = Standing.DONE if done else Standing.WAITING
    return Phase(name, standing, verdict=verdict if done else None)


def _unless_done(phase: Phase) -> Phase:
    if phase.standing is Standing.DONE:
        return phase
    return replace(phase, standing=Standing.LEFT_OUT)


_IN_WORDS: Mapping[LeaseState, str] = {
    LeaseState.OPENED: "the keeper is starting",
    LeaseState.ARMED: "armed, waiting for the guard; the target is untouched",
    LeaseState.INJECTING: "the fault begins",
    LeaseState.ACTIVE: "the fault is on",
    LeaseState.REVERTING: "the fault is being reverted",
    LeaseState.UNCLEAN: "residue was seen: something of the fault is still there",
    LeaseState.UNPROVEN: "that the fault is gone is not proven yet",
    LeaseState.CLEAN: "the fault is gone, the target recovers",
}


def _experiments(
    ports: Ports, run: Run, suite: Suite, found: Sequence[Finding]
) -> list[Phase]:
    """Each chosen experiment by its latest lease, and by its verdict when it has recovered."""
    latest = {lease.experiment: lease for lease in ports.leases.leases(run_id=run.id)}
    recovered = {e.experiment for e in ports.books.read(run.id, EntryKind.RECOVERY)}
    verdicts = judged(ports, run.id)

    def phase(experiment: Experiment) -> Phase:
        name, lease = experiment.name, latest.get(experiment.name)
        if lease is None:
            return Phase(name, Standing.WAITING)
        if name in recovered and lease.state is LeaseState.CLEAN:
            told = next((f.text for f in found if (f.experiment, f.name) == (name, "fault")), "")
            return Phase(name, Standing.DONE, told, verdicts[name])
        return Phase(name, Standing.NOW, _IN_WORDS[lease.state])

    return [phase(e) for step in suite.rounds for e in step.experiments]
