"""Resilience suites as Airflow DAGs: a fault lives only while somebody watches it."""

__version__ = "0.1.0"
__all__ = ["__version__"]
