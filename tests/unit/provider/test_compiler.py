"""Suites to DAGs."""

import pytest

from holdfast.errors import SpecError
from holdfast.provider.compiler import dags_from, refuse_broken
from support.airflow import suite_text


@pytest.fixture
def folder(tmp_path):
    """Three suites, one of them broken, one in a folder below."""
    (tmp_path / "one.suite.yaml").write_text(suite_text("one"))
    (tmp_path / "gamedays").mkdir()
    (tmp_path / "gamedays" / "other-file.suite.yaml").write_text(suite_text("two"))
    (tmp_path / "bad.suite.yaml").write_text(suite_text("bad").replace("window: 2s", "window: 2"))
    return tmp_path


@pytest.fixture
def wanted(monkeypatch):
    """Say which DAG a task's process asks for."""
    return lambda name: monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", name)


def test_each_sound_suite_is_a_dag_of_its_name(folder):
    assert {"one", "two"} == set(dags_from(folder))


def test_all_errors_are_raised_at_once_with_their_places(folder):
    (folder / "worse.suite.yaml").write_text("kind: Suite\n")
    with pytest.raises(SpecError) as raised:
        refuse_broken(folder)
    assert "bad.suite.yaml:9:20" in str(raised.value)
    assert "worse.suite.yaml:1:" in str(raised.value)


def test_no_error_when_nothing_is_broken(folder):
    (folder / "bad.suite.yaml").unlink()
    refuse_broken(folder)


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_task_gets_the_one_dag_it_asks_for(folder, wanted, name):
    wanted(name)
    assert [name] == list(dags_from(folder))


def test_a_task_of_a_suite_that_is_broken_now_sees_why(folder, wanted):
    wanted("bad")
    with pytest.raises(SpecError, match=r"bad\.suite\.yaml:9:20"):
        dags_from(folder)


def test_a_task_of_another_dag_is_not_disturbed_by_broken_suites(folder, wanted):
    wanted("one")
    refuse_broken(folder)


def test_the_schedule_keeps_its_time_zone(tmp_path):
    schedule = 'schedule: {cron: "0 2 * * *", time_zone: Europe/Berlin}'
    (tmp_path / "s.suite.yaml").write_text(suite_text("s", schedule))
    timetable = dags_from(tmp_path)["s"].timetable
    assert ("0 2 * * *", "Europe/Berlin") == (timetable.expression, timetable.timezone)


@pytest.mark.parametrize(("now", "first"), [
    pytest.param("2026-03-04T01:05:00+00:00", "2026-03-05T01:00:00+00:00", id="just-past"),
    pytest.param("2026-03-04T00:59:00+00:00", "2026-03-04T01:00:00+00:00", id="soon"),
])
def test_a_suite_that_is_seen_for_the_first_time_waits_for_its_time(tmp_path, now, first):
    """Airflow would make up for the latest time that has passed: faults that nobody expects."""
    import time_machine
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.trigger import CronTriggerTimetable

    schedule = 'schedule: {cron: "0 2 * * *", time_zone: Europe/Berlin}'
    (tmp_path / "s.suite.yaml").write_text(suite_text("s", schedule))
    dag = dags_from(tmp_path)["s"]
    timetable = CronTriggerTimetable(
        dag.timetable.expression, timezone=dag.timetable.timezone,
        run_immediately=dag.timetable.run_immediately,
    )
    starts = [dag.start_date, *(task.start_date for task in dag.tasks)]
    assert {None} == set(starts)
    with time_machine.travel(now, tick=False):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=None,
            restriction=TimeRestriction(earliest=None, latest=None, catchup=dag.catchup),
        )
    assert info.run_after.isoformat() == first


def test_without_a_schedule_only_people_start_it(folder):
    assert dags_from(folder)["one"].schedule is None


def test_the_page_tells_the_hypotheses(folder):
    page = dags_from(folder)["one"].doc_md
    assert "**Round 1**\n\n- **left**: Left \\| holds. (noop on api, " in page
    assert "- errors < 1%: `errors`" in page


def test_the_form_tells_what_each_experiment_does(folder):
    told = dags_from(folder)["one"].params.get_param("experiments").schema["description_md"]
    assert "- **left**: Left \\| holds. (noop on api, " in told


def test_each_dag_has_a_form_of_its_own_that_airflow_accepts(folder):
    other = suite_text("one").replace("left", "port")
    (folder / "gamedays" / "third.suite.yaml").write_text(other.replace("name: one", "name: third"))
    dags = dags_from(folder)
    for name, first in (("one", "left"), ("third", "port")):
        chosen = {"experiments": [first, "right", "last"], "dry_run": False}
        assert chosen == dags[name].params.validate()


def test_owner_and_environment_are_on_the_dag(folder):
    dag = dags_from(folder)["one"]
    assert ("platform-team", {"holdfast", "environment:nowhere"}) == (dag.owner, set(dag.tags))
