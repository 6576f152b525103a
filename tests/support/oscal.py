"""Records of runs as the log has them, made by hand or by chance, and NIST's schema."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import strategies as st

from holdfast.controls.frameworks.catalogue import CONTROLS
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.verdict import Verdict
from holdfast.oscal.build import documents
from holdfast.oscal.words import control_ids

ORIGIN = "evidence.example/log1"
BEGAN = datetime(2026, 3, 1, 2, tzinfo=UTC)
DIRECT, PARTIAL, PLATFORM = "nist-800-53r5:cp-10", "nist-800-53r5:cp-2", "nist-800-53r5:au-9"
IDS = control_ids(CONTROLS)
_CASES = Path(__file__).resolve().parents[1] / "cases" / "oscal"
_SCHEMAS = {"poam.json": "poam"}


def checkpoint(size: int = 1000, origin: str = ORIGIN) -> str:
    """A signed state of the log."""
    return f"{origin}\n{size}\nbiNT/2Sgx1FBp3q0/bCYzg0l5Dh5Yb1WvvhEYsqJ1Go=\n\n— {origin} c2ln\n"


class Records(dict[int, Statement]):
    """Statements by number, a second apart, each with its place."""

    def add(self, kind: str, run: str, subjects: dict[str, str] | None = None, **told: Any) -> int:
        index = len(self)
        at = BEGAN + timedelta(hours=1, seconds=index)
        log = {"index": index, "previous": "p", "run_id": run, "recorded_at": at.isoformat(),
               "boottime_ms": index * 1000, "boot_id": "b"}
        predicate = {"run_id": run, "plan_digest": f"sha256:{run}", **told, "log": log}
        self[index] = Statement(f"{PREDICATES}{kind}/v1", subjects or {}, predicate)
        return index

    def plan(self, run: str, *experiments: tuple[str, str], suite: str = "checkout",
             environment: str = "staging") -> int:
        """A plan of experiments, each a name and a service."""
        return self.add("plan", run, suite=suite, suite_digest="sha256:s", environment=environment,
                        experiments=[planned(name, service) for name, service in experiments])

    def approval(self, run: str, answer: str = "approved", by: str = "lead", why: str = "") -> int:
        return self.add("approval", run, answer=answer, by=by, why=why)

    def start(self, run: str, suite: str = "checkout", environment: str = "staging",
              **told: Any) -> int:
        return self.add("run-start", run, suite=suite, environment=environment,
                        started_at=BEGAN.isoformat(), **({"triggered_by": "sre"} | told))

    def result(self, run: str, *experiments: dict[str, Any], verdict: str = "", **told: Any) -> int:
        """A result with files; its verdict is the worst of what it holds unless said."""
        findings = told.get("findings", [])
        worst = Verdict.worst(Verdict[e["verdict"]] for e in (*experiments, *findings))
        files = {"book.json": "b" * 64} | {
            f"journal-{e['name']}-l.jsonl": f"{n:064x}" for n, e in enumerate(experiments)}
        listed = [{"name": n, "digest": f"sha256:{d}", "media_type": "application/json"}
                  for n, d in files.items()]
        return self.add("result", run, files, **({
            "suite": "checkout", "environment": "staging", "started_at": BEGAN.isoformat(),
            "sealed_at": (BEGAN + timedelta(minutes=5)).isoformat(), "triggered_by": "sre",
            "verdict": verdict or worst.name, "experiments": list(experiments),
            "counts": {"HELD": 1}, "catalogues": {"catalogue": "sha256:c"}, "artefacts": listed,
        } | told))

    def report(self, run: str) -> int:
        return self.add("report", run, {"report.html": "a" * 64})

    def documents(self, **changes: Any) -> dict[str, bytes]:
        """What follows from them."""
        parts = {"controls": CONTROLS, "origin": ORIGIN, "checkpoint": checkpoint()} | changes
        return dict(documents(self, **parts))


def planned(name: str, service: str) -> dict[str, Any]:
    """An experiment as a plan has it."""
    fault = {"type": "hang", "service": service, "delay_ms": 0, "duration_ms": 7000}
    return {"name": name, "round": 0, "fault": fault, "effect": "held",
            "targets": [{"name": f"{service}-1", "service": service}]}


def trial(name: str, verdict: str = "HELD", service: str = "api", *controls: str,
          **told: Any) -> dict[str, Any]:
    """An experiment as a result has it."""
    own = {"controls": list(controls)} if controls else {}
    return {"name": name, "verdict": verdict, "service": service, "fault_type": "hang",
            "lease_id": f"lease-{name}", "ended": "duration", "lease_margin_ms": 4300,
            **own, **told}


def check(
    name: str, verdict: str = "BROKEN", experiment: str = "", text: str = "no"
) -> dict[str, Any]:
    """A finding as a result has it."""
    return {"name": name, "verdict": verdict, "experiment": experiment, "text": text}


def rich() -> Records:
    """A run that held after approval, one that failed, one that has no result yet."""
    records = Records()
    for run in ("one", "two"):
        records.plan(run, ("first", "api"), ("second", "database"))
        records.approval(run)
        records.start(run, controls=[DIRECT, PARTIAL])
        good = run == "one"
        records.result(
            run, trial("first", "HELD" if good else "BROKEN"), trial("second", "HELD", "database"),
            controls=[DIRECT, PARTIAL],
            findings=[] if good else [check("recovery", experiment="first", text="20 s, not 15 s")],
        )
        records.report(run)
    records.plan("three", ("first", "api"))
    records.start("three", controls=[DIRECT])
    return records


@cache
def validator(name: str) -> jsonschema.Draft7Validator:
    """NIST's schema; Python's expressions know no classes of Unicode, so those are put in words."""
    kind = _SCHEMAS.get(name, name.removesuffix(".json"))
    text = gzip.decompress((_CASES / f"oscal_{kind}_schema.json.gz").read_bytes()).decode()
    text = text.replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")
    schema = json.loads(text)
    return jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def violations(made: dict[str, bytes]) -> list[str]:
    """What the schema has against documents."""
    return [
        f"{name}: {'.'.join(map(str, wrong.absolute_path))}: {wrong.message[:200]}"
        for name, content in made.items()
        for wrong in validator(name).iter_errors(json.loads(content))
    ]


_VERDICTS = st.sampled_from(["HELD", "UNKNOWN", "BROKEN"])
_BAD = st.sampled_from(["UNKNOWN", "BROKEN"])
_CONTROLS = st.lists(
    st.sampled_from([*(c.name for c in CONTROLS), "no-such:control"]), max_size=3, unique=True)


@st.composite
def logs(draw: st.DrawFn, first: Records | None = None) -> Records:
    """Genuine records of a few runs, whatever people have written into them."""
    records = Records(first or {})
    for number in range(draw(st.integers(1, 3))):
        _run(draw, records, f"run-{number}")
    return records


def _run(draw: st.DrawFn, records: Records, run: str) -> None:
    where = {"suite": draw(st.sampled_from(["checkout", "pay"])),
             "environment": draw(st.sampled_from(["staging", "test"]))}
    names = draw(st.lists(st.sampled_from(["a", "a-b", "c"]), min_size=1, max_size=3, unique=True))
    services = {name: draw(st.sampled_from(["api", "data base", ""])) for name in names}
    if draw(st.booleans()):
        records.plan(run, *((name, one or "api") for name, one in services.items()), **where)
    for answer in draw(st.lists(st.sampled_from(["approved", "refused", "timed_out", "withdrawn"]),
                                max_size=2)):
        records.approval(run, answer, draw(st.text(max_size=8)), draw(st.text(max_size=20)))
    controls = draw(_CONTROLS)
    for _ in range(draw(st.integers(0, 2))):
        records.start(run, **where, controls=controls, dry_run=draw(st.booleans()))
        if draw(st.booleans()):
            _result(draw, records, run, services, controls=controls, **where)
    if draw(st.booleans()):
        records.report(run)


def _result(draw: st.DrawFn, records: Records, run: str, services: dict[str, str],
            **told: Any) -> None:
    checks = [
        check(name, draw(_BAD), experiment, draw(st.text(max_size=30)))
        for experiment in ("", *services) for name in ("recovery", "lost_writes")
        if draw(st.booleans())
    ]
    trials = []
    for name, service in services.items():
        own = [c["verdict"] for c in checks if c["experiment"] == name]
        verdict = Verdict.worst(Verdict[v] for v in (draw(_VERDICTS), *own))
        trials.append(trial(name, verdict.name, service, *draw(_CONTROLS)))
    records.result(run, *trials, findings=checks, reason=draw(st.text(max_size=20)),
                   is_postponed=draw(st.booleans()), **told)
