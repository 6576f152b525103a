"""The worst verdict wins."""

import pytest

from holdfast.model.verdict import Verdict


@pytest.mark.parametrize(("parts", "whole"), [
    pytest.param([Verdict.HELD, Verdict.HELD], Verdict.HELD, id="all-held"),
    pytest.param([Verdict.HELD, Verdict.UNKNOWN], Verdict.UNKNOWN, id="doubt-wins-over-held"),
    pytest.param([Verdict.UNKNOWN, Verdict.BROKEN], Verdict.BROKEN, id="broken-wins-over-doubt"),
    pytest.param([], Verdict.UNKNOWN, id="nothing-checked-proves-nothing"),
])
def test_the_worst_verdict_wins(parts, whole):
    assert whole == Verdict.worst(parts)
