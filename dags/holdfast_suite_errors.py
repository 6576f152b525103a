"""What is wrong with suites in experiments/, as an import error; no DAG of Airflow's lives here.

Airflow takes every DAG of a file out of service when that file has an import error. Raised from
here, a broken suite loses its own DAG only.
"""

from pathlib import Path

from holdfast.provider.compiler import refuse_broken

refuse_broken(Path(__file__).resolve().parents[1] / "experiments")
