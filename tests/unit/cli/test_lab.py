"""up: the shop's own words go to the shop, and its refusal is not said twice."""

import pytest
import typer
from typer.testing import CliRunner

from holdfast.cli import lab
from holdfast.errors import HoldfastError


@pytest.fixture
def shop(monkeypatch):
    """Stand in for the shop's command: what it was told, and the code it ends with."""
    told = []

    def command(_where, *words):
        told.append(words)
        return told_code[0]

    told_code = [1]
    monkeypatch.setattr(lab, "_shop", command)
    return told, told_code


def test_what_to_leave_out_is_told_to_the_shop(shop):
    told, _ = shop
    CliRunner().invoke(lab.lab, ["up", "--without", "breaker", "--without", "retry"])
    assert [("up", "--without=breaker", "--without=retry")] == told


def test_a_word_the_shop_does_not_know_ends_with_the_code_for_arguments(shop):
    shop[1][0] = 2
    with pytest.raises(typer.Exit) as ended:
        lab.start(None, ["braker"])
    assert 2 == ended.value.exit_code


def test_a_shop_that_does_not_start_is_an_error(shop):
    with pytest.raises(HoldfastError, match="did not start"):
        lab.start(None)
