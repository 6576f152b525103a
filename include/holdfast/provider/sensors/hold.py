"""Hold a fault under guard, as one deferrable task."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferralError

from holdfast.ports.bundle import Ports
from holdfast.provider import wiring
from holdfast.provider.border import airflow_words
from holdfast.provider.runs import RunOf

MARGIN = timedelta(seconds=60)
"""Added to the worst case: time for a triggerer to be restarted and to take the guard up."""


class HoldFaultSensor(BaseSensorOperator):
    """Watch a fault until it is over, then say how its life ended.

    The keeper injects once the guard, a trigger, renews the lease; this task only defers to the
    guard and, when resumed, believes the store.

    :param experiment: name of the experiment.
    :param lease_id: the lease that ``arm`` took. (templated)
    """

    template_fields: Sequence[str] = ("lease_id",)

    def __init__(self, *, experiment: str, lease_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.experiment, self.lease_id = experiment, lease_id

    def execute(self, context: Context) -> None:
        """Hand the watch to the triggerer."""
        with airflow_words():
            self._defer(wiring.ports(), RunOf.context(context).id)

    def resume(self, context: Context, event: Mapping[str, object]) -> None:
        """Conclude from the store. An event of another run's guard has been seen to arrive."""
        from holdfast.steps.conclude import conclude
        from holdfast.steps.watch import is_over

        ports, run_id = wiring.ports(), RunOf.context(context).id
        with airflow_words():
            if event.get("lease_id") != self.lease_id:
                self.log.warning("lease %s got the event %s", self.lease_id, event)
                if not is_over(ports.leases.read(self.lease_id)):
                    self._defer(ports, run_id)
            conclude(ports, run_id, self.experiment, self.lease_id)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None,
                         context: Context) -> Any:
        """Resume; when the deferral timed out or the guard broke, end the fault before failing."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except (AirflowSensorTimeout, TaskDeferralError) as error:
            from holdfast.steps.conclude import abandon, conclude

            ports = wiring.ports()
            with airflow_words():
                abandon(ports, self.lease_id, f"the guard did not come to an end: {error}")
                conclude(ports, RunOf.context(context).id, self.experiment, self.lease_id)
            raise

    def _defer(self, ports: Ports, run_id: str) -> NoReturn:
        from holdfast.model.cascade import longest_wait
        from holdfast.model.fault import Effect
        from holdfast.plan.outline import worst_case
        from holdfast.provider.triggers.guard import GuardTrigger
        from holdfast.steps.book import experiment_of, suite_of
        from holdfast.steps.spend import task_of_guard

        suite = suite_of(ports, run_id)
        number, experiment = experiment_of(suite, self.experiment)
        trigger = GuardTrigger(
            home=str(ports.settings.home),
            store=ports.settings.store,
            prometheus=suite.target.prometheus,
            watch=task_of_guard(ports, run_id, self.experiment, self.lease_id).model_dump(
                mode="json"
            ),
        )
        waits = longest_wait(suite.rounds[number], experiment)
        limit = waits + worst_case(experiment, suite.guard, Effect.ONE_SHOT) + MARGIN
        self.defer(trigger=trigger, method_name="resume", timeout=limit)
