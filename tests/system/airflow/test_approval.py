"""S6: a plan that must be approved, asked about and answered in a real Airflow."""

import asyncio
import json
import time
from dataclasses import replace

import httpx
import pytest

from holdfast.cli.airflow_env import Lab as AirflowPlaces
from holdfast.clients.airflow_rest import AirflowRest
from holdfast.clients.connections import connection
from holdfast.model.lease import LeaseState, Reason
from holdfast.model.run import EntryKind, RunState
from holdfast.steps.approval import signed_answer
from support.chromium import chromium, program
from support.lab import ASK_PAUSE, until
from support.lab_suites import ASKED

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
PERSON = "approver"
SCHEDULER_SECONDS = 2.0
"""In which a scheduler has surely heard of a process that has ended."""
_APPROVE = "[...document.querySelectorAll('button')].find(b => b.innerText === 'Approve')"


def login(lab, who):
    """Airflow as one of the people of the lab."""
    password = json.loads(AirflowPlaces(lab.settings).passwords.read_text())[who]
    where = connection(lab.settings.connections, "airflow_default")
    return replace(where, login=who, password=password)


def until_asked(run):
    """Asked, and the process that asked is gone.

    Airflow 3.3.2 fails a task that is answered while its process of before still ends; no person
    reads so quickly.
    """
    until(lambda: run.tasks().get("approval") == "awaiting_input", 120, lambda: str(run.tasks()),
          pause=ASK_PAUSE)
    until(lambda: not run.lab.tasks(), 30)
    time.sleep(SCHEDULER_SECONDS)


def says(lab, run, who, option):
    with AirflowRest(login(lab, who)) as airflow:
        (waiting,) = [w for w in airflow.waiting(ASKED) if w.dag_run_id == run.dag_run_id]
        airflow.answer(waiting, option, {})


def token_of(where):
    """What a browser carries after the login."""
    body = {"username": where.login, "password": where.password}
    return httpx.post(f"{where.url}/auth/token", json=body, timeout=60).json()["access_token"]


async def presses_approve(lab, run, where, token):
    """As a person does it on the page of the request."""
    async with chromium() as tab:
        await tab.cookie(where.url, "_token", token)
        await tab.look(1280, height=1330)
        at = f"/dags/{ASKED}/runs/{run.dag_run_id}/tasks/approval/required_actions"
        await tab.go(where.url + at)
        await tab.until(f"{_APPROVE} && !{_APPROVE}.disabled", 120)
        assert lab.ports.books.run(run.id).plan_digest in await tab.run("document.body.innerText")
        await tab.run(f"{_APPROVE}.click()")
        until(lambda: signed_answer(lab.ports, run.id) is not None, 60)


def test_another_persons_yes_lets_the_fault_begin_and_taken_back_it_ends(lab):
    """Four eyes, by REST and on the page; then withdrawn while the fault is on."""
    run = lab.trigger(ASKED)
    until_asked(run)
    says(lab, run, "sre", "Approve")
    entries = lambda: lab.ports.books.read(run.id, EntryKind.APPROVAL)  # noqa: E731
    until(lambda: any(e.name == "not counted" for e in entries()), 60)
    until_asked(run)
    if program() is None:
        says(lab, run, PERSON, "Approve")
    else:
        where = login(lab, PERSON)
        asyncio.run(presses_approve(lab, run, where, token_of(where)))
    run.until_active()
    done = lab.command("withdraw", run.id, "--by", "lead", "--why", "seen enough")
    assert not done.returncode, done.stdout + done.stderr
    (lease,) = run.leases
    assert (LeaseState.CLEAN, Reason.WITHDRAWN) == (lease.state, lease.revoked.reason)
    assert "failed" == run.until_over()
    assert "approval withdrawn: seen enough" in run.book.reason
    lab.command("evidence", "trust", str(lab.settings.trust))
    verified = lab.command("evidence", "verify", run.id, "--trust", str(lab.settings.trust))
    assert not verified.returncode, verified.stdout


def test_a_no_postpones_the_run_and_is_no_failure(lab):
    run = lab.trigger(ASKED)
    until_asked(run)
    says(lab, run, "sre", "Reject")
    assert "success" == run.until_over()
    assert (RunState.POSTPONED, "not approved: refused by sre") == (
        run.book.state, run.book.reason)
    assert not run.leases
