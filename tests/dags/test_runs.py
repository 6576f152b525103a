"""Whole runs with real operators in dag.test(): ports in memory, steps told what to do."""

import sys
import time
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest

from holdfast.errors import GuardTripped, HoldfastError, Postponed, ResidueError
from holdfast.model.run import EntryKind, Run, RunState
from holdfast.model.verdict import Finding, Verdict
from holdfast.provider import wiring
from holdfast.provider.sensors.hold import HoldFaultSensor
from holdfast.spec.load import load_suite
from holdfast.steps import baseline as real_baseline
from holdfast.steps import book
from holdfast.steps import verdict as real_verdict
from holdfast.steps.steady import RoundLeftOut
from support.ports import FakeMetrics, memory_ports

pytestmark = [
    pytest.mark.dag,
    pytest.mark.filterwarnings("ignore:Using `httpx` with"),  # Airflow's own API server
]


@dataclass
class Steps:
    """Fakes of every step, as modules; `fail` maps a step, or step and name, to what it raises."""

    ports: Any
    fail: dict[str, Exception | Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("preflight", "reserve", "baseline", "steady", "arm", "revert", "recover",
                     "check", "settle", "score", "seal", "report"):
            self._module(monkeypatch, name, **{name: self._step(name)})
        self._module(monkeypatch, "judge_whole", keep=self._step("keep"))
        self._module(monkeypatch, "shares", check_share=self._share)
        self._module(monkeypatch, "verdict", close=self.close)
        monkeypatch.setattr("holdfast.steps.plan.plan", self.plan)
        monkeypatch.setattr(sys.modules["holdfast.steps.steady"], "RoundLeftOut", RoundLeftOut,
                            raising=False)

        def execute(operator: Any, context: Any) -> None:
            self.inject(operator, context)

        monkeypatch.setattr(HoldFaultSensor, "execute", execute)
        monkeypatch.setattr(wiring, "ports", lambda: self.ports)

    @staticmethod
    def _module(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
        module = ModuleType(f"holdfast.steps.{name}")
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    def _step(self, name: str) -> Any:
        def step(ports: Any, run_or_lease: str, *rest: Any) -> Any:
            return self._do(name, str(rest[0]) if rest else "")
        return step

    def _share(self, ports: Any, run_id: str, item: int, part: int) -> None:
        self._do("check_part", f"{item} {part}")

    def _do(self, name: str, what: str = "") -> str:
        key = f"{name} {what}".strip()
        self.calls.append(key)
        for asked in (key, name):
            if asked in self.fail:
                fate = self.fail[asked]
                raise fate() if callable(fate) else fate
        return f"{name}-{what}"

    def plan(self, ports: Any, request: Any) -> str:
        loaded = load_suite(request.suite_file)
        run = Run(request.run_id, loaded.suite.metadata.name, "nowhere", request.triggered_by,
                  "sha256:0", "2026-01-01T00:00:00Z", 0.0)
        ports.books.open_run(run)
        book.write(ports, run.id, EntryKind.SUITE, run.suite, {
            "suite": loaded.suite.model_dump(mode="json", by_alias=True), "digest": loaded.digest,
            "file": str(loaded.path), "only": list(request.only), "dry_run": request.dry_run,
        })
        told = {"experiments": [], "digest": "sha256:0", "worst_case_ms": 30_000}
        book.write(ports, run.id, EntryKind.PLAN, run.suite, told)
        return self._do("plan")

    def inject(self, operator: Any, context: Any) -> None:
        from holdfast.provider.border import airflow_words
        from holdfast.provider.runs import RunOf

        run, name = RunOf.context(context).id, operator.experiment
        with airflow_words():
            try:
                assert operator.lease_id == f"arm-{name}"
                self._do("inject", name)
            except HoldfastError as error:
                found = Finding("fault", Verdict.BROKEN, str(error), name)
                book.write_finding(self.ports, run, found)
                raise
            book.write_finding(self.ports, run, Finding("fault", Verdict.HELD, "ran", name))

    def close(self, ports: Any, run_id: str) -> Run:
        self._do("close")
        run = ports.books.run(run_id)
        if run.state is RunState.POSTPONED:
            return run
        from holdfast.steps.judge import judge

        verdict = judge(ports, run_id)
        ports.books.close_run(replace(run, state=RunState.ENDED, verdict=verdict))
        if verdict is not Verdict.HELD:
            raise HoldfastError(verdict.name)
        return run


@pytest.fixture
def steps(tmp_path, monkeypatch, dags):
    made = Steps(memory_ports(tmp_path))
    made.install(monkeypatch)
    sleep = time.sleep  # dag.test() waits 1 s after each pass that only skips tasks
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.02)))
    return made


def run(dags, suite="two-rounds", **conf):
    """Run the suite; the run's state in Airflow, and each task's."""
    everything = {"experiments": ["left", "right", "last"], "dry_run": False}
    dag_run = dags.dags[suite].test(run_conf=everything | conf)
    tasks = {t.task_id: str(t.state) for t in dag_run.get_task_instances()}
    return str(dag_run.state.value), tasks


def books(steps):
    """The one run of the books."""
    (found,) = steps.ports.books.runs()
    return found


def test_all_well(dags, steps):
    """O1: each step is called once, in order, with the lease its arm took; who asked is known."""
    state, tasks = run(dags)
    assert (state, books(steps).verdict) == ("success", Verdict.HELD)
    assert steps.calls[:5] == ["plan", "preflight", "reserve", "baseline", "steady 0"]
    assert steps.calls[-6:] == ["check", "settle", "score", "seal", "report", "close"]
    assert "recover last" in steps.calls
    assert books(steps).triggered_by == "dag_test"
    assert {"success"} == set(tasks.values())


def test_an_abort_reverts_and_goes_on_to_the_evidence(dags, steps):
    """S4: GuardTripped is no retry and no end of the evidence."""
    steps.fail["inject left"] = GuardTripped("errors is 7%")
    state, tasks = run(dags)
    assert (state, books(steps).verdict) == ("failed", Verdict.BROKEN)
    assert (tasks["round_1.left.inject"], tasks["round_1.left.revert"]) == ("failed", "success")
    assert {"tasks"} & {f.name for f in book.findings(steps.ports, books(steps).id)} == set()


@pytest.mark.parametrize("step", ["plan", "preflight", "reserve", "baseline", "steady 0"])
def test_postponed_is_no_failure_and_no_fault(dags, steps, step):
    """S3: whichever step says so."""
    steps.fail[step] = Postponed("busy")
    state, _ = run(dags)
    assert (state, books(steps).state, books(steps).reason) == (
        "success", RunState.POSTPONED, "busy")
    later = ("arm", "check", "settle", "score", "seal", "report")
    assert not [c for c in steps.calls if c.startswith(later)]
    assert ["postponed"] == [n.kind for n in steps.ports.notifier.told]


@pytest.mark.parametrize(("step", "again"), [
    ("plan", []), ("preflight", []), ("reserve", []), ("baseline", ["preflight", "reserve"]),
    ("steady 0", ["preflight", "reserve", "baseline"]),
])
def test_a_run_that_may_try_again_does_what_came_before_again(dags, steps, step, again):
    """S3: `retry_for`; the task gives its worker up meanwhile, and no retry is used up."""
    steps.fail[step] = lambda: steps.fail.pop(step) and Postponed("busy")
    state, tasks = run(dags, "patient")
    assert (state, books(steps).verdict, {"success"}) == (
        "success", Verdict.HELD, set(tasks.values()))
    tried = steps.calls.index(step)
    assert [step, *again, step] == steps.calls[tried:tried + 2 + len(again)]
    waits = steps.ports.books.read(books(steps).id, EntryKind.WAIT)
    assert ["busy"] == [e.data["reason"] for e in waits]
    assert [] == steps.ports.notifier.told


def test_a_run_ends_postponed_when_its_time_to_try_again_is_over(dags, steps):
    """S3: each try is an hour late here, and there are two hours."""
    def busy():
        steps.ports.clock.sleep(3600)
        return Postponed("busy")

    steps.fail["preflight"] = busy
    state, tasks = run(dags, "patient")
    assert (state, tasks["preflight"], books(steps).state) == (
        "success", "skipped", RunState.POSTPONED)
    assert 3 == steps.calls.count("preflight")
    assert ["postponed"] == [n.kind for n in steps.ports.notifier.told]


def test_what_fails_while_it_tries_again_fails_at_once(dags, steps):
    """No retry hides it, and the book is closed."""
    fates = [Postponed("busy"), HoldfastError("the key cannot be read")]
    steps.fail["preflight"] = lambda: fates.pop(0)
    state, tasks = run(dags, "patient")
    assert (state, tasks["preflight"], books(steps).verdict) == (
        "failed", "failed", Verdict.UNKNOWN)


def test_preflight_failed_closes_the_book(dags, steps):
    """No verdict task runs, so the border closes the run."""
    steps.fail["preflight"] = HoldfastError("the key cannot be read")
    state, tasks = run(dags)
    assert (state, tasks["verdict"]) == ("failed", "upstream_failed")
    assert (books(steps).state, books(steps).verdict) == (RunState.ENDED, Verdict.UNKNOWN)


def test_a_round_left_out_is_skipped_and_the_run_goes_on(dags, steps):
    """An aborted suite that stops: the later round says so, consistency still runs."""
    steps.fail["steady 1"] = RoundLeftOut("aborted before")
    _, tasks = run(dags)
    assert (tasks["round_2.steady"], tasks["consistency"]) == ("skipped", "success")
    assert "arm last" not in steps.calls
    assert books(steps).state is RunState.ENDED


def test_the_form_leaves_experiments_out(dags, steps):
    """O2: only `last` was chosen; what was left out is not UNKNOWN."""
    state, tasks = run(dags, experiments=["last"])
    assert (state, books(steps).verdict) == ("success", Verdict.HELD)
    assert ["arm last"] == [c for c in steps.calls if c.startswith("arm")]
    assert tasks["round_1.left.revert"] == "skipped"


def test_a_dry_run_plans_and_checks_only(dags, steps):
    """O2: nothing is reserved, the run ends well and says what it was."""
    state, _ = run(dags, dry_run=True)
    assert steps.calls == ["plan", "preflight"]
    assert (state, books(steps).state, books(steps).reason) == (
        "success", RunState.ENDED, "dry run")


def test_a_revert_that_failed_fails_the_run_even_when_the_stores_are_well(dags, steps):
    """S5: Airflow alone would end this run green (see test_rules)."""
    revert = dags.dags["two-rounds"].get_task("round_2.last.revert")
    calls = []

    def fail_last(ports, lease_id):
        calls.append(lease_id)
        if lease_id == "arm-last":
            raise ResidueError("delay is still there", lease=lease_id)

    sys.modules["holdfast.steps.revert"].revert = fail_last
    revert.retries = 0
    state, tasks = run(dags)
    revert.retries = 10
    assert (state, tasks["round_2.last.revert"], tasks["verdict"]) == ("failed",) * 3
    assert books(steps).verdict is Verdict.UNKNOWN
    assert {"arm-left", "arm-right", "arm-last"} == set(calls)


def test_consistency_failed_is_sealed_and_fails_the_run(dags, steps):
    """R6: a check that broke down proves nothing."""
    steps.fail["check"] = RuntimeError("out of memory")
    state, tasks = run(dags)
    assert (state, tasks["seal"], tasks["report"]) == ("failed", "success", "success")
    assert books(steps).verdict is Verdict.UNKNOWN


def test_a_history_in_parts_is_kept_judged_side_by_side_and_joined(dags, steps):
    """R6: one task for each part, after the history was kept and before the verdict is joined."""
    state, tasks = run(dags, "in-parts")
    assert ("success", "success") == (state, tasks["check_part"])
    first = steps.calls.index("keep")
    assert {f"check_part 0 {n}" for n in range(3)} == set(steps.calls[first + 1:first + 4])
    assert "check" == steps.calls[first + 4]


@pytest.mark.parametrize("what", ["keep", "check_part 0 1"])
def test_a_part_that_fails_does_not_keep_the_others_from_being_told(dags, steps, what):
    """R6: the check that joins them says what is missing."""
    steps.fail[what] = RuntimeError("out of memory")
    run(dags, "in-parts")
    assert ["check", "settle", "score", "seal", "report", "close"] == steps.calls[-6:]
    assert {f"check_part 0 {n}" for n in range(3)} <= set(steps.calls)


def test_a_postponed_run_judges_no_part(dags, steps):
    """S3: nothing was sent, so there is nothing to keep."""
    steps.fail["baseline"] = Postponed("errors is 7%")
    state, tasks = run(dags, "in-parts")
    assert ("success", "skipped", "skipped") == (state, tasks["keep"], tasks["check_part"])


def test_an_asset_event_carries_digest_and_verdict(dags, steps):
    """E1: whoever waits for the suite's asset sees what was proven."""
    run(dags)
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        event = session.scalars(select(AssetEvent).order_by(AssetEvent.id.desc())).first()
        assert {"digest": "sha256:0", "verdict": "HELD"}.items() <= event.extra.items()


@pytest.fixture
def sending(tmp_path, monkeypatch, steps):
    """The true steps that begin and end workloads, with ports in memory."""
    steps.ports = memory_ports(tmp_path, metrics=FakeMetrics({"errors": 0.001}))
    for module in (real_baseline, real_verdict):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return steps


def test_a_workload_ends_with_its_run_whatever_fails(dags, sending):
    """R6: its check broke down, so nobody else has ended it."""
    seen = []
    sending.fail["inject left"] = lambda: seen.append(dict(sending.ports.workloads.running)) \
        or GuardTripped("errors is 7%")
    sending.fail["check"] = RuntimeError("out of memory")
    state, tasks = run(dags, "with-workload")
    assert ("failed", "failed") == (state, tasks["verdict"])
    assert [["ledger"]] == [list(running) for running in seen]
    assert {} == sending.ports.workloads.running


def test_a_run_whose_workload_does_not_begin_is_postponed(dags, sending):
    """S3: there was no fault."""
    sending.ports.workloads.refuse = "ledger"
    state, _ = run(dags, "with-workload")
    assert ("success", RunState.POSTPONED) == (state, books(sending).state)
    assert "workload ledger: no place to write" in books(sending).reason
    assert not [c for c in sending.calls if c.startswith("arm")]


def test_a_dry_run_sends_nothing(dags, sending):
    state, _ = run(dags, "with-workload", dry_run=True)
    assert ("success", []) == (state, sending.ports.workloads.calls)
