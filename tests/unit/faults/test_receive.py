from hypothesis import given
from hypothesis import strategies as st

from holdfast.faults.postgres._receive import mark


def test_the_mark_names_the_lease() -> None:
    assert mark("L-0a1B") == "holdfast_l_0a1b"


@given(st.text(max_size=100))
def test_any_mark_is_a_name_that_a_slot_may_have(lease_id: str) -> None:
    name = mark(lease_id)
    assert len(name) <= 63
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
