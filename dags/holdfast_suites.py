"""One Airflow DAG for each suite in experiments/."""

from pathlib import Path

from holdfast.provider.compiler import dags_from

globals().update(dags_from(Path(__file__).resolve().parents[1] / "experiments"))
