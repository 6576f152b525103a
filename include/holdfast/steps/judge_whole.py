"""Have a workload's own history judged, whole and by itself, after all rounds."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from holdfast.errors import CheckError, SpecError
from holdfast.history.about import About, FaultWindow, about, side_file
from holdfast.model.run import Run, RunState
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import Checked
from holdfast.steps.book import run_of, suite_of, write_finding
from holdfast.steps.histories import Asked, Ready, read
from holdfast.steps.items import finding_name, keys, place_of
from holdfast.steps.shares import found_of, joined, kept
from holdfast.steps.workloads import doubts, stop_workloads

VERDICTS = {"valid": Verdict.HELD, "invalid": Verdict.BROKEN, "unknown": Verdict.UNKNOWN}
_SETTLE_SECONDS, _POLL_SECONDS = 6.0, 0.5
_MOST = 1 << 30
_SECOND = 1_000_000_000
_log = logging.getLogger("holdfast.histories")


def judge_whole(
    ports: Ports, run: Run, suite: Suite, number: int, copies: dict[str, Path]
) -> None:
    """Keep the history as an artefact, judge that very file, and write a finding.

    One that is judged in parts is kept already, and what its parts found is joined.

    `copies` has the histories that are kept already: all checks of one judge the same file, and
    whoever checks the artefact later has the same verdict. What was found is an artefact too:
    anomalies, witnesses, and how much was seen before, during and after each fault. A history that
    is damaged or says too little is UNKNOWN, with its reason.
    """
    spec = suite.consistency[number]
    name, place = finding_name(suite, number), place_of(spec)
    try:
        if place not in copies:
            is_split = any(s.parts and place_of(s) == place for s in suite.consistency)
            there = kept(ports, run.id, place) if is_split else None
            copies[place] = there or _keep(ports, run, suite, place)
        ready = read(Asked(copies[place], spec.checker, "", spec.params))
        checked = ready.judge() if spec.parts is None else joined(
            ready, found_of(ports, run.id, suite, number), spec.parts)
        if suite.target.workload(place):
            checked = _doubted(checked, doubts(ports, run.id, place))
        told = _told(ready, checked)
    except (CheckError, SpecError) as error:
        checked, told = Checked("unknown", str(error)), {}
    if told:
        content = json.dumps(told, indent=1).encode()
        ports.artefacts.put(run.id, f"{keys(suite)[number]}.json", content, "application/json")
    write_finding(ports, run.id, Finding(
        name, VERDICTS[checked.outcome], f"{place}: {checked.text}", measured=dict(checked.counts),
    ))


def keep(ports: Ports, run_id: str) -> None:
    """Keep the histories that are judged in parts, before their parts are.

    Workloads read everything back and end before. One that cannot be kept is left to `check`,
    which says so.
    """
    run = run_of(ports, run_id)
    if run.state is RunState.POSTPONED:
        return
    suite = suite_of(ports, run_id)
    stop_workloads(ports, run_id)
    for place in dict.fromkeys(place_of(s) for s in suite.consistency if s.parts):
        try:
            _keep(ports, run, suite, place)
        except (CheckError, SpecError) as error:
            _log.warning("%s: %s", place, error)


def _doubted(checked: Checked, why: Sequence[str]) -> Checked:
    """What is wrong stays wrong; what is right is not known of a workload that ended too early."""
    if not why:
        return checked
    text = f"{checked.text}; {'; '.join(why)}"
    outcome: Literal["unknown", "invalid"] = "invalid"
    if checked.outcome != "invalid":
        outcome, text = "unknown", "; ".join(why)
    return replace(checked, outcome=outcome, text=text)


def _keep(ports: Ports, run: Run, suite: Suite, place: str) -> Path:
    """Copy what the workload has written, as soon as it has nothing under way or has had time."""
    source = source_of(ports, run, suite, place)
    until, size = ports.clock.boottime() + _SETTLE_SECONDS, -1
    try:
        while size != (now := source.stat().st_size) and ports.clock.boottime() < until:
            size = now
            ports.clock.sleep(_POLL_SECONDS)
        if now > _MOST:
            raise CheckError(f"the history has {now} bytes, more than {_MOST}")
        content = source.read_bytes()
    except OSError as error:
        raise CheckError(f"the history cannot be read: {error.strerror}") from error
    whole = content[:content.rfind(b"\n") + 1] if source.suffix == ".jsonl" else content
    name = f"history-{place}{source.suffix or '.jsonl'}"
    kept = ports.artefacts.put(run.id, name, whole, "application/octet-stream")
    file = ports.artefacts.path(kept)
    about = _about(ports, run, suite, place).model_dump_json(indent=1).encode()
    ports.artefacts.put(run.id, side_file(file).name, about, "application/json")
    return file


def source_of(ports: Ports, run: Run, suite: Suite, place: str) -> Path:
    """Where a history is written."""
    if suite.target.workload(place):
        return ports.workloads.history(run.id, place)
    return ports.settings.home / suite.target.histories[place].file


def _about(ports: Ports, run: Run, suite: Suite, place: str) -> About:
    """When each fault was on; and the checker, where there is one for this history."""
    told = About(clock="CLOCK_BOOTTIME", faults=_faults(ports, run))
    if suite.target.workload(place):  # what it knows of itself: its seed, and what its checker asks
        told = about(source_of(ports, run, suite, place)).model_copy(
            update={"faults": told.faults})
    checks = [spec for spec in suite.consistency if spec.history == place]
    if len(checks) > 1:
        return told
    options = {**told.options, **checks[0].params}
    return told.model_copy(update={"checker": checks[0].checker, "options": options})


def _faults(ports: Ports, run: Run) -> tuple[FaultWindow, ...]:
    return tuple(
        FaultWindow(name=lease.experiment, begin_ns=round(lease.injected_at * _SECOND),
                    end_ns=round(lease.clean_at * _SECOND))
        for lease in ports.leases.leases(run_id=run.id)
        if lease.injected_at is not None and lease.clean_at is not None
    )


def _told(ready: Ready, checked: Checked) -> Mapping[str, Any]:
    return {
        "verdict": checked.outcome, "checker": ready.name,
        "options": ready.options.model_dump(mode="json"), "digest": f"sha256:{ready.opened.digest}",
        "anomalies": {name: list(places) for name, places in checked.anomalies.items() if places},
        "seen": {**checked.counts, "faults": ready.faults()}, "details": dict(checked.details),
    }
