"""Upkeep: what must be done now and then, whether or not a suite runs."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from holdfast.provider.operators.sweep import SweepOperator


def upkeep() -> DAG:
    """Build the DAG `holdfast_upkeep`.

    The janitor's own timer is faster; this one needs nothing but Airflow and leaves a trace there.
    """
    with DAG(
        dag_id="holdfast_upkeep",
        description="Revert what a keeper that died left behind.",
        doc_md="Runs the janitor over every open lease. Fails when something is not clean.",
        schedule=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "holdfast", "retries": 0},
        tags=["holdfast", "upkeep"],
    ) as dag:
        SweepOperator(task_id="sweep", execution_timeout=timedelta(minutes=4))
    return dag
