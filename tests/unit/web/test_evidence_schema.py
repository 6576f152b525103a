"""E3: whatever is asked, the retrieval API answers as its own description says (schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from holdfast.web.evidence import create_api
from support.evidence_runs import two_runs
from support.web import requirements

WHO = {"x-who": "zoe", "sec-fetch-site": "same-origin"}
EXAMPLES = 25
NOWHERE = b'{"detail":"Not Found"}'
"""What everybody is told of an address that is none."""
QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
pytestmark = pytest.mark.usefixtures("quick_pdf")


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    made = two_runs(tmp_path_factory.mktemp("store"))
    app = create_api(lambda: made, requirements(zoe={"checkout", "secret"}))
    return schemathesis.openapi.from_asgi("/openapi.json", app, headers=WHO)


def operations(schema):
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found}


OPERATIONS = (
    "GET /entries", "GET /entries/{index}", "GET /entries/{index}/proof",
    "GET /artifacts/{sha256}", "GET /checkpoint", "GET /tile/entries/{path}",
    "GET /tile/{level}/{path}", "GET /consistency", "GET /coverage", "GET /gaps",
    "GET /controls/{framework}/{control}", "GET /trail/{run_id}", "GET /exports",
    "GET /exports/{export_id}", "GET /exports/{export_id}/bundle", "POST /exports",
)


def test_every_route_is_described(schema):
    assert {*OPERATIONS} == {*operations(schema)}


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_as_described(schema, name):
    """A question may make no sense though its words are well, such as an unknown framework: 400."""
    operation = operations(schema)[name]

    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, suppress_health_check=QUIET, deadline=None,
              derandomize=True)
    def ask(case):
        case.call_and_validate(headers=WHO, excluded_checks=[positive_data_acceptance])

    ask()


@pytest.mark.parametrize("name", OPERATIONS)
def test_whoever_is_not_known_learns_nothing(schema, name):
    operation = operations(schema)[name]

    @given(case=operation.as_strategy())
    @settings(max_examples=5, suppress_health_check=QUIET, deadline=None, derandomize=True)
    def ask(case):
        answer = case.call(headers={"x-who": ""})
        is_nowhere = (404, NOWHERE) == (answer.status_code, answer.content)  # such as a line end
        assert is_nowhere or 401 == answer.status_code
        assert len(answer.content) < 200

    ask()
