"""Let a person approve the plan, by Airflow's own means."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.timezone import utcnow

from holdfast.ports.bundle import Ports
from holdfast.provider import border, wiring
from holdfast.provider.runs import RunOf
from holdfast.steps.approval import AskAgain, Given, answer, ask
from holdfast.steps.approval_request import Request
from holdfast.steps.book import is_dry

APPROVE, REFUSE = "Approve", "Reject"  # the words Airflow's pages know an approval by
PLAN, NAMING, WHY = "plan", "naming", "why"
_LONGEST = 500


class ApprovePlanOperator(HITLOperator):
    """Wait for another person's yes to this very plan, if it needs one; no answer is a no.

    The answer is Airflow's to take: it knows who gave it. It names the plan's digest, so that a
    request that is still open somewhere cannot approve another plan. Nothing that was answered is
    believed later but its signed copy, which is made at once.

    :param wait: how long to wait for the answer.
    """

    def __init__(self, *, wait: timedelta, **kwargs: Any) -> None:
        super().__init__(
            subject="May this run break something?", options=[APPROVE, REFUSE], defaults=REFUSE,
            response_timeout=wait, **kwargs,
        )

    def execute(self, context: Context) -> Any:
        """Ask, unless nobody need be asked."""
        ports, run = wiring.ports(), RunOf.context(context)
        if border.is_judged(ports, run.id):
            return  # cleared afterwards: a skip here would skip verdict, and the run end green
        border.going_on(ports, run.id)
        with self._borders(ports, run):
            asked = None if is_dry(ports, run.id) else ask(ports, run.id)
            if asked is not None:
                self._wait(context, asked)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Sign the answer; go on after a yes that counts, and ask again after one that does not."""
        ports, run = wiring.ports(), RunOf.context(context)
        if border.is_judged(ports, run.id):
            return
        border.going_on(ports, run.id)
        with self._borders(ports, run):
            try:
                answer(ports, run.id, _given(event))
            except AskAgain as again:
                self.log.warning("this yes does not count: %s", again)
                if (asked := ask(ports, run.id)) is not None:
                    self._wait(context, asked)

    @contextmanager
    def _borders(self, ports: Ports, run: RunOf) -> Iterator[None]:
        with (
            border.airflow_words(),
            border.before_the_verdict_watches(ports, run.id, self.task_id),
            border.before_the_first_fault(ports, run.id),
        ):
            yield

    def _wait(self, context: Context, asked: Request) -> NoReturn:
        """Show the request, then leave the worker until it is answered."""
        self.subject, self.body = asked.subject, asked.body
        self.params = ParamsDict(_form(asked))
        self.response_timeout = max(asked.until - utcnow(), timedelta(seconds=1))
        super().execute(context)
        raise RuntimeError("Airflow does not wait for the answer")


def _form(asked: Request) -> dict[str, Param]:
    """The fields beside the buttons; the digest is filled in, and comes back with the answer."""
    form = {PLAN: Param(
        asked.plan, "What a yes is for.", "task", type="string", title="Plan", enum=[asked.plan],
    )}
    if asked.irreversible:
        text = f"For a yes they must be named: {', '.join(asked.irreversible)}"
        form[NAMING] = _free(text, "Experiments that cannot be undone")
    return form | {WHY: _free("Is kept with the answer.", "Why")}


def _free(description: str, title: str) -> Param:
    """A field that may stay empty: a no needs no words."""
    return Param(None, description, "task", type=["null", "string"], title=title)


def _given(event: Mapping[str, Any]) -> Given:
    """What was answered, or that nobody has; fields may hold anything."""
    who, fields = event.get("responded_by_user") or {}, event.get("params_input") or {}
    plan, naming, why = (" ".join(str(fields.get(f) or "").split()) for f in (PLAN, NAMING, WHY))
    yes = event.get("chosen_options") == [APPROVE]
    name = str(who.get("name") or "")
    return Given(yes, name, plan, naming, why[:_LONGEST], _answered_at(event.get("responded_at")))


def _answered_at(told: object) -> datetime | None:
    """When Airflow took the answer; what is no time is now, which is never earlier."""
    try:
        at = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
