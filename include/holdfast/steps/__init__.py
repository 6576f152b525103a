"""Use cases: each file what one task does, without Airflow."""
