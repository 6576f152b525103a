from datetime import timedelta

import pytest

from holdfast.errors import FaultError
from holdfast.faults._selector import address, number
from holdfast.model.fault import Fault

FAULT = Fault("process.hang", "api", {"http": "shop_http"}, "/h", timedelta(1), params={"x": 2})


def test_an_address_of_the_wanted_kind_is_found() -> None:
    assert address(FAULT, "http") == "shop_http"


def test_a_service_without_the_kind_is_refused_with_what_it_has() -> None:
    with pytest.raises(FaultError, match=r"api: process\.hang needs a 'process' .* has: http"):
        address(FAULT, "process")


def test_a_parameter_that_is_not_there_is_the_default() -> None:
    assert (2.0, 7.0) == (number(FAULT, "x", 7.0), number(FAULT, "y", 7.0))
