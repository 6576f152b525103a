"""S5: a stop is pressed by the person it names, on our page, for that run."""

import pytest

from holdfast.web.access import (
    TOKEN_SECONDS,
    form_token,
    has_own_credentials,
    is_same_origin,
    is_token,
)

SECRET = b"secret"
TOKEN = form_token(SECRET, "ana", "shop--1", 1000.0)


def test_a_form_of_ones_own_is_known_again():
    assert is_token(TOKEN, SECRET, "ana", "shop--1", 1000.0 + TOKEN_SECONDS - 1)


@pytest.mark.parametrize(("token", "secret", "visitor", "run", "now"), [
    pytest.param(TOKEN, SECRET, "rob", "shop--1", 1000.0, id="another-person"),
    pytest.param(TOKEN, SECRET, "ana", "shop--2", 1000.0, id="another-run"),
    pytest.param(TOKEN, b"other", "ana", "shop--1", 1000.0, id="another-deployment"),
    pytest.param(TOKEN, SECRET, "ana", "shop--1", 1001.0 + TOKEN_SECONDS, id="too-old"),
    pytest.param("9999999999." + TOKEN.partition(".")[2], SECRET, "ana", "shop--1", 1000.0,
                 id="made-younger"),
    pytest.param("", SECRET, "ana", "shop--1", 1000.0, id="none"),
    pytest.param("9" * 5000 + ".x", SECRET, "ana", "shop--1", 1000.0, id="endless"),
    pytest.param("9999999999.é\ud800", SECRET, "ana", "shop--1", 1000.0, id="foreign-letters"),
    pytest.param("².x", SECRET, "ana", "shop--1", 1000.0, id="no-number"),
])
def test_any_other_form_is_not(token, secret, visitor, run, now):
    assert not is_token(token, secret, visitor, run, now)


def test_what_is_signed_cannot_be_shifted():
    """A person whose name holds the separator gets no other person's signature."""
    assert not is_token(form_token(SECRET, "ana\0x", "1", 1.0), SECRET, "ana", "x\0001", 1.0)


@pytest.mark.parametrize(("headers", "own"), [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "same-site", "origin": "http://a:1", "host": "a:1"}, False),
    ({"sec-fetch-site": "cross-site"}, False),
    ({"origin": "http://127.0.0.1:8080", "host": "127.0.0.1:8080"}, True),
    ({"origin": "http://127.0.0.1:9000", "host": "127.0.0.1:8080"}, False),
    ({"origin": "null", "host": "127.0.0.1:8080"}, False),
    ({"host": "127.0.0.1:8080"}, True),
])
def test_another_port_is_another_origin(headers, own):
    assert own is is_same_origin(headers)


@pytest.mark.parametrize(("header", "own"), [("Bearer x", True), ("basic x", False), ("", False)])
def test_only_a_bearer_names_its_credentials_itself(header, own):
    assert own is has_own_credentials({"authorization": header})
