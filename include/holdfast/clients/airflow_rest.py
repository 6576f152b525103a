"""Airflow's public REST API, as a named person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from holdfast.clients.connections import Connection
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError, SpecError

_PAGE = 100
_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a trigger that failed is tried again."""


class AirflowUnreachable(HoldfastError):
    """The API server did not answer."""


@dataclass(frozen=True, slots=True)
class DagRun:
    """One run as Airflow sees it; `state` is queued, running, success or failed."""

    dag_id: str
    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that waits for a person; `fields` are filled in as on its page."""

    dag_id: str
    dag_run_id: str
    task_id: str
    subject: str
    body: str
    fields: Mapping[str, object]


class AirflowRest:
    """One logged-in session. Errors say what the server said."""

    def __init__(
        self, where: Connection, *, timeout: float = 10.0,
        sleep: Callable[[float], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._where, self._sleep = where, sleep or SystemClock().sleep
        self._http = httpx.Client(
            base_url=where.url, timeout=timeout, transport=transport
        )

    def __enter__(self) -> Self:
        self._login()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, object]) -> DagRun:
        """Start a run now; SpecError when there is no such DAG or it does not take the params.

        A busy server is asked again: the id is the caller's, so a second run cannot come of it.
        """
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        path = f"/api/v2/dags/{dag_id}/dagRuns"
        for number, pause in enumerate((*_PAUSES, 0.0)):
            try:
                return _run(self._call("POST", path, body))
            except AirflowUnreachable as error:
                failed: HoldfastError = error
                self._sleep(pause)
            except SpecError as error:  # a refusal, unless an earlier try was only slow
                if number == 0:
                    raise
                failed = error
            if self._is_there(dag_id, run_id):
                return self.run(dag_id, run_id)
            if isinstance(failed, SpecError):
                raise failed
        raise failed

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """Its state now."""
        return _run(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def ended(self, dag_id: str) -> list[DagRun]:
        """Every run of a DAG that has come to its end there; none if there is no such DAG."""
        found, path = list[DagRun](), f"/api/v2/dags/{dag_id}/dagRuns"
        while True:
            try:
                page = self._call("GET", f"{path}?limit={_PAGE}&offset={len(found)}")["dag_runs"]
            except SpecError:
                return []
            found += map(_run, page)
            if len(page) < _PAGE:
                return [run for run in found if run.state in ("success", "failed")]

    def tasks(self, dag_id: str, run_id: str) -> Mapping[str, str]:
        """Task id to state (empty when it has none yet)."""
        found = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=500")
        return {t["task_id"]: t["state"] or "" for t in found["task_instances"]}

    def mark_failed(self, dag_id: str, run_id: str) -> None:
        """Mark the run failed; its teardowns still run."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear one task, as the button of the UI does."""
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False}
        self._call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    def waiting(self, dag_id: str) -> list[Waiting]:
        """The requests of a DAG's runs that nobody has answered."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/~/hitlDetails"
        found = self._call("GET", f"{path}?response_received=false&state=awaiting_input&limit=100")
        return [_waiting(one) for one in found["hitl_details"]]

    def answer(self, waiting: Waiting, option: str, fields: Mapping[str, object]) -> None:
        """Answer a request as this session's person."""
        run = f"/api/v2/dags/{waiting.dag_id}/dagRuns/{waiting.dag_run_id}"
        path = f"{run}/taskInstances/{waiting.task_id}/-1/hitlDetails"
        body = {"chosen_options": [option], "params_input": {**waiting.fields, **fields}}
        self._call("PATCH", path, body)

    def is_paused(self, dag_id: str) -> bool:
        """Whether the scheduler leaves the DAG alone; SpecError when there is none."""
        return bool(self._call("GET", f"/api/v2/dags/{dag_id}")["is_paused"])

    def _post_run(self, dag_id: str, body: Mapping[str, object]) -> DagRun:
        return _run(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body))

    def _is_there(self, dag_id: str, run_id: str) -> bool:
        try:
            self.run(dag_id, run_id)
        except (SpecError, AirflowUnreachable):
            return False
        return True

    def _login(self) -> None:
        who = {"username": self._where.login, "password": self._where.password}
        token = self._call("POST", "/auth/token", who)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def _call(self, verb: str, path: str, body: object = None) -> Any:
        try:
            answer = self._http.request(verb, path, json=body)
        except httpx.HTTPError as error:
            raise AirflowUnreachable(
                f"no answer from Airflow at {self._http.base_url}: {error or type(error).__name__}"
                " (is it up? holdfast up)"
            ) from error
        if answer.is_error:
            kind = SpecError if answer.status_code in (400, 404, 409, 422) else AirflowUnreachable
            raise kind(f"Airflow answered {answer.status_code} to {verb} {path}: {_detail(answer)}")
        return answer.json()


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", answer.text))[:500]
    except ValueError:
        return answer.text[:200]


def _run(found: Mapping[str, Any]) -> DagRun:
    return DagRun(found["dag_id"], found["dag_run_id"], found["state"])


def _waiting(found: Mapping[str, Any]) -> Waiting:
    task = found["task_instance"]
    fields = {name: param["value"] for name, param in found["params"].items()}
    return Waiting(
        task["dag_id"], task["dag_run_id"], task["task_id"], found["subject"],
        found["body"] or "", fields,
    )
