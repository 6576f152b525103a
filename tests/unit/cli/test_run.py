"""run: a suite that was just written is waited for, one that Airflow does not read is not (O2)."""

import pytest

from holdfast.cli.run import _is_paused
from holdfast.errors import SpecError
from holdfast.settings import Settings
from support.ports import memory_ports


class LateAirflow:
    """Has no DAG at the first few questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def is_paused(self, dag_id: str) -> bool:
        self.left -= 1
        if self.left >= 0:
            raise SpecError("Airflow answered 404")
        return False


@pytest.fixture
def ports(tmp_path):
    """A deployment with one suite, `new`, and a clock that costs nothing."""
    (tmp_path / "new.suite.yaml").touch()
    return memory_ports(tmp_path, settings=Settings(tmp_path / "home", tmp_path))


def test_a_new_suites_dag_is_waited_for(ports):
    assert not _is_paused(LateAirflow(20), "new", ports)


@pytest.mark.parametrize(("name", "asked"), [("new", 41), ("elsewhere", 1)])
def test_a_dag_that_does_not_come_is_said_with_where_suites_are_read(ports, name, asked):
    airflow = LateAirflow(100)
    with pytest.raises(SpecError, match=f"no DAG '{name}' .*{ports.settings.experiments}"):
        _is_paused(airflow, name, ports)
    assert 100 - asked == airflow.left
