"""One run of a suite with one fault: its steps called as the DAG's tasks call them. A program.

python -m bench.one_run HOME SUITE RUN together|apart

Together, one process does all, as `chaos run` does. Apart, each task is a process of its own,
forked from one that has loaded what Airflow's executor has; first it makes the DAG, as tasks must.
It prints a line of JSON: the verdict, how long the fault was on, and what each task took.
"""

import asyncio
import json
import os
import sys
import time
import traceback
from contextlib import closing
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

PATIENCE_SECONDS = 0.4  # as the guard's trigger


def tasks(ports, run_id, file, experiment):
    """Name and work of each task, in the order in which the DAG lets them run."""
    def lease():
        return ports().leases.leases(run_id=run_id)[0].id

    def request():
        from holdfast.steps.plan import PlanRequest
        return PlanRequest(run_id, file, triggered_by="bench")

    def step(name, *words, of=""):
        """The step, imported when its turn comes; a word that is a function is asked for then."""
        def do():
            given = [word() if callable(word) else word for word in words]
            return getattr(import_module(f"holdfast.steps.{of or name}"), name)(ports(), *given)
        return do

    task = step("task_of_guard", run_id, experiment, lease, of="spend")
    return [
        ("plan", step("plan", request)),
        ("preflight", step("preflight", run_id)),
        ("reserve", step("reserve", run_id)),
        ("baseline", step("baseline", run_id)),
        ("steady", step("steady", run_id, 0)),
        ("arm", step("arm", run_id, experiment)),
        ("inject", task),
        ("guard", lambda: _guard(ports(), task())),
        ("inject, resumed", step("conclude", run_id, experiment, lease)),
        ("revert", step("revert", lease)),
        ("recovery", step("recover", run_id, experiment, lease)),
        ("consistency", step("check", run_id)),
        ("settle", step("settle", run_id)),
        ("score", step("score", run_id)),
        ("seal", step("seal", run_id)),
        ("report", step("report", run_id)),
        ("verdict", step("close", run_id, of="verdict")),
    ]


def _guard(ports, task):
    """As the triggerer's trigger does it."""
    from holdfast.clients.indicators import Places, indicators_live
    from holdfast.steps.desk import desk_of
    from holdfast.steps.watch import questions, watch
    from holdfast.stores.live import SqliteLeases

    live = ports.settings.live
    places = Places(ports.settings.connections, max_age=task.max_age)

    async def stand():
        async with (
            desk_of(live, lambda: closing(SqliteLeases(live)), ports.clock) as desk,
            indicators_live(places, questions(task), PATIENCE_SECONDS) as metrics,
        ):
            await watch(task, desk, metrics, ports.clock)

    asyncio.run(stand())


def together(work):
    """Every task in this process: seconds of each by the clock, and of the processor."""
    taken = {}
    for name, do in work:
        began, used = time.perf_counter(), time.process_time()
        do()
        taken[name] = [time.perf_counter() - began, time.process_time() - used, 0.0]
    return taken


def apart(work, file):
    """Each task in a child: seconds by the clock, of the processor, and what of these made the DAG.

    A guard is no task of its own: it lives in the triggerer, which parses nothing.
    """
    import airflow.executors.local_executor
    import airflow.jobs.scheduler_job_runner
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - loaded before the children begin

    taken = {}
    for name, do in work:
        reading, writing = os.pipe()
        began = time.perf_counter()
        child = os.fork()
        if not child:
            _child(do, None if name == "guard" else file, writing)
        os.close(writing)
        _, status, used = os.wait4(child, 0)
        took = time.perf_counter() - began
        if status:
            sys.exit(f"the task {name} failed")
        with os.fdopen(reading) as made:
            taken[name] = [took, used.ru_utime + used.ru_stime, float(made.read())]
    return taken


def _child(do, file, writing):
    """Make the DAG, do the work, never come back."""
    code = 1
    try:
        made = _make_dag(file) if file else 0.0
        do()
        os.write(writing, str(made).encode())
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def _make_dag(file):
    """What a task's process parses before its task begins; processor seconds."""
    began = time.process_time()
    from holdfast.provider import compiler

    asked = SimpleNamespace(dag_id=file.name.removesuffix(".suite.yaml"))
    compiler.get_parsing_context = lambda: asked
    compiler.dags_from(file.parent)
    return time.process_time() - began


def main(home, file, run_id, mode):
    @cache
    def ports():
        from holdfast import wiring
        from holdfast.settings import Settings

        return wiring.ports(Settings(Path(home), Path(file).parent))

    work = tasks(ports, run_id, Path(file), "nothing-happens")
    taken = together(work) if mode == "together" else apart(work, Path(file))
    (lease,) = ports().leases.leases(run_id=run_id)
    print(json.dumps({
        "verdict": ports().books.run(run_id).verdict.name,
        "fault": lease.reverted_at - lease.injected_at,
        "tasks": taken,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
