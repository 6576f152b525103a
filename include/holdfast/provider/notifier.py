"""Tell the people Holdfast tells, from any DAG of Airflow's."""

import asyncio
from collections.abc import Sequence

from airflow.sdk import BaseNotifier, Context

from holdfast.model.run import Notice
from holdfast.provider import wiring


class HoldfastNotifier(BaseNotifier):
    """Pass a message to Holdfast's notification port, for `on_failure_callback` and the like.

    :param text: what a person is told. (templated)
    :param kind: which kind of notice: residue, abort, broken or postponed.
    """

    template_fields: Sequence[str] = ("text",)

    def __init__(
        self,
        text: str = "{{ dag.dag_id }}: run {{ run_id }} needs a look",
        kind: str = "broken",
    ) -> None:
        super().__init__()
        self.text, self.kind = text, kind

    def notify(self, context: Context) -> None:
        """Tell at once."""
        wiring.ports().notifier.tell(self._notice(context))

    async def async_notify(self, context: Context) -> None:
        """Tell without blocking the triggerer's loop."""
        notice = self._notice(context)
        await asyncio.to_thread(lambda: wiring.ports().notifier.tell(notice))

    def _notice(self, context: Context) -> Notice:
        from holdfast.model.run import run_id

        dag_run = context.get("dag_run")
        suite = dag_run.dag_id if dag_run else ""
        return Notice(self.kind, run_id(suite, dag_run.run_id) if dag_run else "", suite, self.text)
