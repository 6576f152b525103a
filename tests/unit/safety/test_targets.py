"""S2: what a fault would hit now against what was planned."""

import pytest

from holdfast.model.fault import Target
from holdfast.safety.targets import drifted


def plan(*names, share=500, **more):
    return [{"name": n, "service": "api", "share_permille": share, **more} for n in names]


def now(*names, share=0.5, role=""):
    return [Target(n, "api", share, role) for n in names]


@pytest.mark.parametrize(("planned", "found"), [
    pytest.param(plan("api-1", "api-2"), now("api-1", "api-2"), id="the-same"),
    pytest.param(plan("api-1 (pid 7)"), now("api-1 (pid 9)"), id="started-again"),
    pytest.param(plan("api-1", "api-2"), now("api-2"), id="fewer"),
    pytest.param(plan("db/a", role="primary"), now("db/b", role="primary"), id="failed-over"),
    pytest.param(plan("memory", share=500), now("memory", share=0.51), id="by-itself"),
    pytest.param([], [], id="nothing"),
])
def test_what_was_planned_is_no_drift(planned, found):
    assert "" == drifted(planned, found)


@pytest.mark.parametrize(("planned", "found", "text"), [
    pytest.param(plan("api-1"), now("api-1", "api-3"),
                 "it would hit api-3, and the plan names api-1", id="one-more"),
    pytest.param(plan("api-1"), now("api-2"),
                 "it would hit api-2, and the plan names api-1", id="another"),
    pytest.param(plan("db/a", role="primary"), now("db/a"),
                 "it would hit db/a, and the plan names db/a", id="in-another-role"),
    pytest.param([], now("api-1"), "it would hit api-1, and the plan names nothing", id="new"),
    pytest.param(plan("api-1", share=500), now("api-1", share=1.0),
                 "it would hit 100 % of api, and the plan says 50 %", id="a-larger-part"),
])
def test_more_or_something_else_is_drift(planned, found, text):
    assert text == drifted(planned, found)


def test_the_same_name_in_another_service_is_another_target():
    assert drifted(plan("api-1"), [Target("api-1", "pay", 0.1)])
