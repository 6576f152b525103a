"""Write the golden shapes anew: `PYTHONPATH=tests python -m support.golden`; then read the diff."""

from support.airflow import CHECKOUT, own_home

if __name__ == "__main__":
    import importlib.util
    import sys

    experiments = own_home() / "experiments"
    from holdfast.provider.compiler import dags_from

    spec = importlib.util.spec_from_file_location(
        "integrity", CHECKOUT / "tests" / "dags" / "test_integrity.py"
    )
    assert spec and spec.loader
    integrity = importlib.util.module_from_spec(spec)
    sys.modules["integrity"] = integrity
    spec.loader.exec_module(integrity)
    for name, dag in dags_from(experiments).items():
        (CHECKOUT / "tests" / "golden" / f"dag-{name}.txt").write_text(integrity.edges(dag))
