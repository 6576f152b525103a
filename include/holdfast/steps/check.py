"""Check that the target's data is what its users were told, after all rounds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.clients.history import operations
from holdfast.clients.rows import Look
from holdfast.errors import CheckError, EvidenceError, FaultError, SpecError
from holdfast.model.operation import Operation
from holdfast.model.run import Run, RunState
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import Answers, Checked, Expecting, Met, Moment, Observed
from holdfast.steps.book import run_of, suite_of, write_finding
from holdfast.steps.items import Access, Item, finding_name, is_by_itself, item, keys, place_of
from holdfast.steps.judge_whole import VERDICTS, judge_whole
from holdfast.steps.promises import Seen, keep_promises, pointed, promises
from holdfast.steps.rollout import tell_rollouts
from holdfast.steps.snapshot import before_of, during_of
from holdfast.steps.workloads import stop_workloads

EVIDENCE_LOG = "evidence_log"
"""Name of the finding about the evidence log itself."""
_SETTLE_SECONDS, _POLL_SECONDS = 6.0, 0.5
_EARLIER_SECONDS = 60.0
"""An operation sent this long before a look at the data has had its effect by then, or never."""


def check(ports: Ports, run_id: str, access: Access | None = None) -> None:
    """Write a finding for each consistency check, recovery point promised, and rollout.

    Workloads read everything back and end before. A check that cannot decide is UNKNOWN, with its
    reason; nothing is raised for it.
    """
    run = run_of(ports, run_id)
    if run.state is RunState.POSTPONED:
        return
    suite = suite_of(ports, run_id)
    stop_workloads(ports, run_id)
    made = promises(ports, run_id, suite)
    task = _Task(ports, run, access or Access(), sum(p.recovery_point for p in made))
    seen, copies = [], dict[str, Path]()
    for number, spec in enumerate(suite.consistency):
        if is_by_itself(suite, number):
            judge_whole(ports, run, suite, number, copies)
            continue
        one = _seen(task, suite, number)
        _report(task, suite, number, one)
        if spec.history is not None:
            seen.append(one)
    keep_promises(ports, run_id, made, seen)
    if suite.compliance.selftest:
        write_finding(ports, run_id, tested_log(ports))
    tell_rollouts(ports, run_id, suite)


def tested_log(ports: Ports) -> Finding:
    """Break copies of the evidence log, each in another way: all must be survived or found."""
    try:
        tried = ports.selftest()
    except (EvidenceError, OSError) as error:
        return Finding(EVIDENCE_LOG, Verdict.UNKNOWN, f"it could not be tried: {error}")
    bad = [t for t in tried if not t.is_well]
    told = "; ".join(f"{t.name}: {t.text}" for t in bad or tried)
    verdict = Verdict.BROKEN if bad else Verdict.HELD if tried else Verdict.UNKNOWN
    return Finding(EVIDENCE_LOG, verdict, told or "nothing was tried",
                   measured={"tried": len(tried), "well": len(tried) - len(bad)})


@dataclass(frozen=True, slots=True)
class _Task:
    """What every check of a run is given."""

    ports: Ports
    run: Run
    access: Access
    allowed: int


def _seen(task: _Task, suite: Suite, number: int) -> Seen:
    file = f"{keys(suite)[number]}.json"
    try:
        one = item(suite, number)
        before = before_of(task.ports, task.run.id, one.key)
        _settle(task, one)
        met = _met(task, one, before)
        history, checked = task.access.looking(
            task.ports, one.postgres, _with(task, one, before, met)
        )
    except (CheckError, FaultError, SpecError) as error:
        return Seen((), Checked("unknown", str(error)), file)
    return Seen(history, checked, file)


def _with(
    task: _Task, one: Item, before: Answers | None, met: Sequence[Met]
) -> Callable[[Look], tuple[Sequence[Operation], Checked]]:
    """Give the checker all there is to see, while the last look is open."""

    def use(look: Look) -> tuple[Sequence[Operation], Checked]:
        asked = one.checker.asks(Moment.AFTER, one.params)
        after = Answers("after all rounds", look.begun, look.ended,
                        {name: look.rows(query) for name, query in asked.items()})
        history, final = _history(task, one, before, look), list[object]()
        if one.history is not None and one.history.query is not None:
            final = [row[0] for row in look.rows(one.history.query)]
        return history, one.checker.check(Observed(
            after, history, final, task.allowed, before,
            during_of(task.ports, task.run.id, one.key), met,
        ), one.params)

    return use


def _met(task: _Task, one: Item, before: Answers | None) -> Sequence[Met]:
    """What great-expectations says of the tables; its pages become artefacts."""
    if not isinstance(one.checker, Expecting):
        return ()
    wanted = one.checker.expects(before, one.params)
    found = task.access.judging(task.ports, one.postgres, wanted)
    for table, page in found.pages.items():
        task.ports.artefacts.put(task.run.id, f"{one.key}-{table}.html", page, "text/html")
    return found.met


def _settle(task: _Task, one: Item) -> None:
    """Wait until the writes sent until now have ended, or had the time to."""
    clock = task.ports.clock
    until = clock.boottime()
    while one.history is not None:
        writes = _writes(task, one, task.run.start_boottime, until)
        waited = clock.boottime() - until
        if waited >= _SETTLE_SECONDS or (waited >= 1 and all(o.completed for o in writes)):
            return
        clock.sleep(_POLL_SECONDS)


def _history(
    task: _Task, one: Item, before: Answers | None, look: Look
) -> Sequence[Operation]:
    """The writes that this look may show; what was acknowledged after it began was unknown then."""
    if one.history is None:
        return ()
    since = task.run.start_boottime
    if before is not None:
        since = min(since, before.begun - _EARLIER_SECONDS)
    return [
        replace(o, outcome="info")
        if o.outcome == "ok" and o.completed is not None and o.completed > look.begun else o
        for o in _writes(task, one, since, look.ended)
    ]


def _writes(task: _Task, one: Item, since: float, until: float) -> list[Operation]:
    if one.history is None:
        return []
    wanted = one.history.operation or one.place.removesuffix("s")
    found = operations(task.ports.settings.home / one.history.file, since, until)
    return [o for o in found if o.f == wanted]


def _report(task: _Task, suite: Suite, number: int, seen: Seen) -> None:
    """Write the finding and keep all anomalies."""
    checked, place = seen.checked, place_of(suite.consistency[number])
    kept = {name: list(found) for name, found in checked.anomalies.items() if found}
    if kept:
        content = json.dumps(kept, indent=1, sort_keys=True).encode()
        task.ports.artefacts.put(task.run.id, seen.file, content, "application/json")
    write_finding(task.ports, task.run.id, Finding(
        finding_name(suite, number), VERDICTS[checked.outcome],
        f"{place}: {pointed(checked.text, kept.values(), seen.file)}",
        measured=dict(checked.counts),
    ))
