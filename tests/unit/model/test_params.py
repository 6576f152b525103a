"""Parameters as a driver gets them."""

from holdfast.model.params import read_params
from support import suites

SETTINGS = suites.drivers()["latency"].params


def test_what_is_not_given_has_its_default():
    values, wrong = read_params({}, SETTINGS)
    assert ({"latency": 0.2, "share": 1.0, "count": 3, "loud": False, "note": None}, []) == (
        values, wrong
    )


def test_what_is_given_is_read_by_its_kind():
    given = {"latency": "250ms", "share": "5%", "count": 4, "loud": True, "note": "hi"}
    values, wrong = read_params(given, SETTINGS)
    assert ({"latency": 0.25, "share": 0.05, "count": 4, "loud": True, "note": "hi"}, []) == (
        values, wrong
    )


def test_a_ratio_may_be_a_plain_number():
    assert 0.5 == read_params({"share": 0.5}, SETTINGS)[0]["share"]


def test_a_ratio_is_no_truth():
    (wrong,) = read_params({"share": True}, SETTINGS)[1]
    assert ("'share' is true", "a number is expected") == (wrong.text, wrong.hint)


def test_what_is_wrong_keeps_its_default_so_that_the_rest_can_be_looked_at():
    values, wrong = read_params({"latency": "soon", "count": 9}, SETTINGS)
    assert (0.2, 9, ["latency"]) == (values["latency"], values["count"], [w.name for w in wrong])
