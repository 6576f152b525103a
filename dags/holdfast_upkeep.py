"""The Airflow DAG that keeps house: faults whose keeper died are found and reverted."""

from holdfast.provider.upkeep import upkeep

dag = upkeep()
