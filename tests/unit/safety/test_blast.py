"""The traffic that an experiment has hit, judged (S2)."""

import pytest

from holdfast.model.verdict import Verdict
from holdfast.safety.blast import judge_blast
from holdfast.safety.traffic import Counted


@pytest.mark.parametrize(("hit", "requests", "verdict"), [
    pytest.param(Counted(50, 0), Counted(1000, 0), Verdict.HELD, id="as-much-as-it-may"),
    pytest.param(Counted(51, 0), Counted(1000, 0), Verdict.BROKEN, id="more"),
    pytest.param(Counted(20, 3), Counted(1000, 0), Verdict.UNKNOWN, id="not-all-was-counted"),
    pytest.param(Counted(90, 3), Counted(1000, 0), Verdict.BROKEN, id="too-much-all-the-same"),
    pytest.param(Counted(0, 0), Counted(0, 9), Verdict.UNKNOWN, id="of-nothing"),
])
def test_the_share_of_all_requests_of_the_run_is_judged(hit, requests, verdict):
    assert verdict is judge_blast("e", hit, requests, 0.05).verdict


def test_it_is_said_with_figures():
    found = judge_blast("e", Counted(51, 0), Counted(1000, 0), 0.05)
    assert "51 of 1000 requests of the run were hit (5.1%), 5% allowed" == found.text
    assert {"hit": 51, "requests": 1000, "share": 0.051, "limit": 0.05} == found.measured
