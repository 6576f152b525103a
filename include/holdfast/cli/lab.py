"""up and down: the demo shop and Airflow on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
import typer

from holdfast import wiring
from holdfast.cli.airflow_env import COMMANDS, Lab, free_port
from holdfast.cli.border import border, out, settings
from holdfast.clients.airflow_rest import AirflowRest, AirflowUnreachable
from holdfast.clients.connections import connection, connection_ids, write_connection
from holdfast.errors import HoldfastError, SpecError
from holdfast.settings import Settings
from holdfast.steps.janitor import sweep

lab = typer.Typer()
_ID, _LOGIN = "airflow_default", "sre"
_PURPOSE = {"sre": "   (triggers runs)", "approver": "   (approves them, where it must be)"}
_USAGE = 2  # the shop's exit code for wrong arguments


@lab.command()
def up(
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="MECHANISM", help="start the shop without it; may be given again"),
    ] = None,
    synchronous: Annotated[
        bool, typer.Option(
            "--synchronous", help="the shop takes no order that its standby has not")
    ] = False,
    no_shop: Annotated[
        bool, typer.Option("--no-shop", help="Airflow and the janitor only, for your own system")
    ] = False,
) -> None:
    """Start the shop and Airflow; print addresses and logins."""
    with border():
        if no_shop and (without or synchronous):
            word = "--without" if without else "--synchronous"
            raise SpecError(f"{word} is about the shop, which --no-shop leaves out")
        words = [f"--without={mechanism}" for mechanism in without or ()]
        words += ["--synchronous"] if synchronous else []
        start(settings(), words, with_shop=not no_shop)


@lab.command()
def down() -> None:
    """End every fault, then stop Airflow and the shop."""
    with border():
        stop(settings())


@lab.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,  # the shop's own help says more
)
def shop(context: typer.Context) -> None:
    """The demo shop alone: up, down or status; `shop --help` says what it can go without."""
    with border():
        raise typer.Exit(_shop(settings(), *context.args))


def start(where: Settings, words: Iterable[str] = (), *, with_shop: bool = True) -> None:
    """Bring everything up; a second time changes nothing.

    :param words: how the shop is to start, in the words of its own command
    :param with_shop: False leaves the shop as it is, up or not
    """
    airflow = Lab(where)
    if supervisor_pid(airflow) is None:
        _refuse_another(where, airflow)
    if with_shop:
        _start_shop(where, words)
    begun = time.monotonic()
    _start_airflow(where, airflow)
    _wait(where)
    for line in sweep(wiring.ports(where)):
        out.print(line, markup=False)
    _print(where, time.monotonic() - begun, with_shop=with_shop)


def _start_shop(where: Settings, words: Iterable[str]) -> None:
    code = _shop(where, "up", *words)
    if code == _USAGE:
        raise typer.Exit(code)  # the shop has said which word is wrong
    if code:
        raise HoldfastError(f"the shop did not start (exit {code})")


def _start_airflow(where: Settings, airflow: Lab) -> None:
    if supervisor_pid(airflow) is not None:
        airflow.announce()  # to a shop that was not there when it started
        return
    _clear(airflow)
    port = free_port()
    environment = airflow.prepare(port)
    _migrate(airflow, environment)
    login = json.loads(airflow.passwords.read_text())[_LOGIN]
    write_connection(
        where.connections,
        _ID,
        {
            "conn_type": "http",
            "host": "127.0.0.1",
            "port": port,
            "login": _LOGIN,
            "password": login,
        },
    )
    _supervise(airflow, environment)


def _refuse_another(where: Settings, airflow: Lab) -> None:
    """Keep what a person has connected: an entry that we made has a password that we made."""
    if not where.connections.exists() or _ID not in connection_ids(where.connections):
        return
    there = connection(where.connections, _ID)
    ours = json.loads(airflow.passwords.read_text()) if airflow.passwords.exists() else {}
    if (there.login, there.password) != (_LOGIN, ours.get(_LOGIN)):
        raise SpecError(
            f"{_ID} leads to an Airflow of yours at {there.url}", where=str(where.connections),
            hint=f"holdfast connect {_ID} --remove, if it may be replaced by one started here",
        )


def stop(where: Settings) -> None:
    """Stop everything that `start` started, whatever of it is still there."""
    from holdfast.steps.stop import stop as stop_faults
    from holdfast.steps.stop import stop_here
    from holdfast.steps.workloads import stop_workloads

    if where.store:
        stop_here(wiring.ports(where), "holdfast down", "holdfast down")
    elif where.live.exists():
        stop_faults(wiring.ports(where), "holdfast down", "holdfast down")
    airflow = Lab(where)
    pid = supervisor_pid(airflow)
    if pid is not None:
        with suppress(ProcessLookupError, psutil.NoSuchProcess, psutil.TimeoutExpired):
            os.kill(pid, signal.SIGTERM)
            psutil.Process(pid).wait(timeout=30)
    _clear(airflow)
    airflow.target.unlink(missing_ok=True)
    out.print("Airflow was not up" if pid is None else "Airflow is down")
    if where.workloads.exists():
        stop_workloads(wiring.ports(where), None)  # nobody is left to judge them
    if (where.home / "shop").exists():  # else there never was one
        _shop(where, "down")


def kill_airflow(where: Settings) -> int:
    """SIGKILL the supervisor and every process of Airflow at once; say how many there were."""
    airflow = Lab(where)
    pid = supervisor_pid(airflow)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return _clear(airflow) + (pid is not None)


def supervisor_pid(airflow: Lab) -> int | None:
    """The supervisor of this checkout's Airflow, if it runs."""
    for process in psutil.process_iter(["cmdline"]):
        if str(airflow.spec) in (process.info["cmdline"] or []):
            return int(process.pid)
    return None


def _clear(airflow: Lab) -> int:
    """Kill what Airflow's processes left behind: whatever is in a session one of them leads."""
    count = 0
    while dead := list(_of_airflow(airflow)):  # again, for what was forked meanwhile
        for process in dead:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(dead, timeout=10)
        count += len(dead)
    return count


def _of_airflow(airflow: Lab) -> Iterator[psutil.Process]:
    pids = {int(f.read_text()) for n in COMMANDS if (f := airflow.run_dir / f"{n}.pid").exists()}
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            ours = os.getsid(process.pid) in pids and _belongs(process, airflow)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _belongs(process: psutil.Process, airflow: Lab) -> bool:
    """A pid may have been given to a stranger since: ours carry this AIRFLOW_HOME."""
    return process.environ().get("AIRFLOW_HOME") == str(airflow.folder)


def _shop(where: Settings, *words: str) -> int:
    command = [sys.executable, "-m", "shop", *words, "--home", str(where.home)]
    return subprocess.run(command, check=False).returncode


def _migrate(airflow: Lab, environment: Mapping[str, str]) -> None:
    log = airflow.log_dir / "migrate.log"
    with log.open("wb") as sink:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "airflow"), "db", "migrate"],
            env=dict(environment),
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise HoldfastError(f"airflow db migrate failed; see {log}")


def _supervise(airflow: Lab, environment: Mapping[str, str]) -> None:
    with (airflow.log_dir / "supervisor.log").open("ab") as sink:
        subprocess.Popen(
            [sys.executable, "-m", "shop.supervisor", str(airflow.spec)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd="/",
            start_new_session=True,
        )


def _wait(where: Settings, limit: float = 120.0) -> None:
    """Wait until all parts of Airflow are healthy and every suite has its DAG."""
    api = connection(where.connections, _ID)
    suites = sorted(
        f.name.removesuffix(".suite.yaml") for f in where.experiments.glob("*.suite.yaml")
    )
    deadline = time.monotonic() + limit
    waiting = "Airflow's API"
    while time.monotonic() < deadline:
        try:
            waiting = _unhealthy(f"http://{api.host}:{api.port}/api/v2/monitor/health")
            if not waiting:
                with AirflowRest(api) as rest:
                    waiting = ", ".join(s for s in suites if not _has(rest, s))
                if not waiting:
                    return
        except (AirflowUnreachable, urllib.error.URLError, OSError) as error:
            waiting = str(error)
        time.sleep(0.5)
    raise HoldfastError(f"after {limit:.0f}s still waiting for {waiting}; see {Lab(where).log_dir}")


def _unhealthy(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
        parts = json.load(answer)
    return ", ".join(name for name, part in parts.items() if part["status"] not in ("healthy",))


def _has(rest: AirflowRest, dag_id: str) -> bool:
    try:
        rest.is_paused(dag_id)
    except SpecError:
        return False
    return True


def _print(where: Settings, seconds: float, *, with_shop: bool) -> None:
    api, airflow = connection(where.connections, _ID), Lab(where)
    out.print(f"Airflow     http://{api.host}:{api.port}   (ready in {seconds:.1f}s)", markup=False)
    for who, password in json.loads(airflow.passwords.read_text()).items():
        out.print(f"  login     {who} / {password}{_PURPOSE.get(who, '')}", markup=False)
    if with_shop:
        out.print("run a suite: holdfast run shop-core")
        return
    out.print(f"metrics     http://127.0.0.1:{airflow.metrics_port()}/metrics   of Holdfast's own")
    out.print("draft a suite for your system: holdfast new NAME; run it: holdfast run NAME")
