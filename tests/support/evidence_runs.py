"""A deployment with two runs of two suites in its log."""

from dataclasses import replace
from pathlib import Path

from holdfast.model.record import PREDICATES, Statement
from holdfast.model.run import Run, RunState
from holdfast.model.verdict import Verdict
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.wiring import ports as wired

ART = "dora:art-24.4"


def say(ports: Ports, run: str, kind: str, verdict: str = "", **more: object) -> None:
    """Sign something of a run."""
    told = {"run_id": run, "plan_digest": "sha256:p", "suite": run.partition("--")[0],
            "environment": "lab", "triggered_by": "sre"} | more
    subjects: dict[str, str] = {}
    if kind == "result":
        kept = ports.artefacts.put(run, "book.json", f"{run} {verdict}".encode(), "text/plain")
        subjects = {kept.name: kept.digest.removeprefix("sha256:")}
        told |= {"verdict": verdict, "controls": [ART], "sealed_at": ports.clock.now().isoformat(),
                 "is_postponed": False, "reason": "", "findings": [],
                 "experiments": [{"name": "x", "verdict": verdict, "service": "api"}],
                 "artefacts": [{"name": kept.name, "digest": kept.digest}]}
    ports.notary.append(run, Statement(f"{PREDICATES}{kind}/v1", subjects, told))


def two_runs(home: Path) -> Ports:
    """Record 0 names the keys, 1 to 3 are a run of checkout, 4 to 6 one of secret."""
    made = wired(Settings(home / "home", home / "experiments"))
    for run, verdict in (("checkout--1", "HELD"), ("secret--1", "BROKEN")):
        row = Run(run, run.partition("--")[0], "lab", "sre", "sha256:p", "2026-01-01", 1.0)
        made.books.open_run(row)
        for kind in ("plan", "run-start"):
            say(made, run, kind)
        say(made, run, "result", verdict)
        made.books.close_run(replace(row, state=RunState.ENDED, verdict=Verdict[verdict]))
    return made
