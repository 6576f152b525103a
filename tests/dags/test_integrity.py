"""What is true of every DAG of the folder, whatever the suite (AIRFLOW facts, section 11)."""

from pathlib import Path

import pytest

from support.airflow import CHECKOUT, bag, suite_text

pytestmark = pytest.mark.dag
GOLDEN = CHECKOUT / "tests" / "golden"


@pytest.fixture(scope="module")
def suites(dags):
    """The DAGs made from suites."""
    return [dag for dag in dags.dags.values() if "upkeep" not in dag.tags]


def test_there_are_no_import_errors(dags):
    assert {} == dags.import_errors
    assert {"two-rounds", "patient", "asked-first", "with-workload", "in-parts",
            "holdfast_upkeep"} == set(dags.dags)


def test_every_dag_says_whose_it_is_and_runs_once_at_a_time(dags):
    for dag in dags.dags.values():
        assert dag.tags and dag.owner and dag.doc_md
        assert (1, False, None) == (dag.max_active_runs, dag.catchup, dag.dagrun_timeout)


def test_the_only_leaf_is_the_failing_teardown_of_reserve(suites):
    for dag in suites:
        (leaf,) = [t for t in dag.tasks if not t.downstream_task_ids]
        assert ("verdict", True, True) == (leaf.task_id, leaf.is_teardown,
                                           leaf.on_failure_fail_dagrun)
        assert "reserve" in leaf.upstream_task_ids


def test_each_inject_has_its_arm_and_its_revert(suites):
    """S5: no retries before the revert, many after."""
    for dag in suites:
        injects = [t for t in dag.tasks if t.task_id.endswith(".inject")]
        assert injects
        for inject in injects:
            group = inject.task_id.removesuffix("inject")
            arm, revert = dag.get_task(f"{group}arm"), dag.get_task(f"{group}revert")
            assert arm.is_setup and revert.is_teardown and revert.on_failure_fail_dagrun
            assert {arm.task_id, inject.task_id} <= revert.upstream_task_ids
            assert (0, 0) == (arm.retries, inject.retries)
            assert revert.retries >= 5


def test_every_task_has_a_time_limit(dags):
    for dag in dags.dags.values():
        assert [] == [t.task_id for t in dag.tasks if t.execution_timeout is None]


def test_every_dag_survives_serialisation(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dags.dags.values():
        back = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        assert {line(t) for t in dag.tasks} == {line(t) for t in back.tasks}



def test_a_run_that_may_have_to_be_approved_waits_between_preflight_and_reserve(dags):
    """S6: a suite without `approval` has no such task, and its DAG is as it was."""
    dag = dags.dags["asked-first"]
    approval = dag.get_task("approval")
    assert ({"preflight"}, {"reserve"}) == (
        approval.upstream_task_ids, approval.downstream_task_ids)
    assert (1800.0, ["Reject"]) == (approval.response_timeout.total_seconds(), approval.defaults)
    assert not dags.dags["two-rounds"].has_task("approval")


def edges(dag):
    """The tasks in order, one a line."""
    return "".join(f"{line(task)}\n" for task in dag.topological_sort())


def line(task):
    """Name, trigger rule, flags, and what comes after it."""
    flags = [f for f in ("setup", "teardown") if getattr(task, f"is_{f}")]
    if task.is_teardown and task.on_failure_fail_dagrun:
        flags.append("fails-run")
    after = " ".join(sorted(task.downstream_task_ids)) or "-"
    rule = getattr(task.trigger_rule, "value", task.trigger_rule)
    return f"{task.task_id} [{' '.join([rule, *flags])}] -> {after}"


def test_a_broken_suite_loses_its_own_dag_only(root, tmp_path):
    """The import error shows file, line and column, and stands in a file that has no DAGs."""
    folder = _folder(root, tmp_path)
    (tmp_path / "experiments" / "good.suite.yaml").write_text(suite_text("good"))
    broken = suite_text("broken").replace("type: noop, target: api", "type: noop, target: apo", 1)
    (tmp_path / "experiments" / "broken.suite.yaml").write_text(broken)
    found = bag(folder)
    assert {"good", "holdfast_upkeep"} == set(found.dags)
    assert ["holdfast_suite_errors.py"] == [Path(f).name for f in found.import_errors]
    (text,) = found.import_errors.values()
    assert "broken.suite.yaml:12:" in text
    assert "apo" in text


def test_two_suites_of_one_name_are_an_error_at_the_second(root, tmp_path):
    folder = _folder(root, tmp_path)
    (tmp_path / "experiments" / "a.suite.yaml").write_text(suite_text("same"))
    (tmp_path / "experiments" / "b.suite.yaml").write_text(suite_text("same"))
    found = bag(folder)
    (text,) = found.import_errors.values()
    assert "b.suite.yaml:1:1: the name 'same' is taken by a.suite.yaml" in text
    assert "same" in found.dags


def _folder(root, tmp_path):
    """The same DAG files beside other suites."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "dags").mkdir()
    for file in (root / "dags").glob("*.py"):
        (tmp_path / "dags" / file.name).write_text(file.read_text())
    return tmp_path / "dags"
