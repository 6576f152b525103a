"""Words and times of OSCAL documents."""

from datetime import UTC, datetime

import pytest

from holdfast.errors import EvidenceError
from holdfast.oscal.words import moment


def test_a_time_is_told_in_utc():
    assert datetime(2026, 1, 1, 1, tzinfo=UTC) == moment("2026-01-01T02:00:00+01:00")


@pytest.mark.parametrize("text", ["soon", "", "2026-01-01T02:00:00"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(EvidenceError, match=r"not a time|without a zone"):
        moment(text)
