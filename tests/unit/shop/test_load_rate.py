"""How many requests the demo shop's load sends is said by its environment."""

import pytest

from shop.load.__main__ import rate_said


@pytest.mark.parametrize(("said", "rate"), [(None, 50.0), ("20", 20.0), ("0.5", 0.5)])
def test_the_environment_says_it(monkeypatch, said, rate):
    monkeypatch.delenv("SHOP_LOAD_RATE", raising=False)
    if said is not None:
        monkeypatch.setenv("SHOP_LOAD_RATE", said)
    assert rate == rate_said()


@pytest.mark.parametrize("said", ["", "many", "0", "-1", "nan", "1e9"])
def test_anything_else_is_told(monkeypatch, said):
    monkeypatch.setenv("SHOP_LOAD_RATE", said)
    with pytest.raises(SystemExit, match=r"SHOP_LOAD_RATE='.*' is no number of requests"):
        rate_said()
