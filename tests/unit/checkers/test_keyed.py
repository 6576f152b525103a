"""R6: histories of many keys; an operation that is no key's is not passed over in silence."""

import pytest

from holdfast.errors import CheckError
from holdfast.history.build import Builder, Row
from holdfast.registry import Registry
from support import histories

REGISTER = Registry("checkers", "CHECKER")["register"]


def judged(key):
    """Writes of two keys, and a read of what nobody wrote, of this key."""
    rows = [(0, "invoke", "write", 1, 7), (0, "ok", "write", 1, 7),
            (1, "invoke", "write", 1, 8), (1, "ok", "write", 1, 8),
            (2, "invoke", "read", None, key), (2, "ok", "read", 99, key)]
    builder = Builder("history")
    for n, (process, kind, f, value, its) in enumerate(rows):
        builder.add([Row(type=kind, process=process, f=f, value=value, time=n, index=n, key=its)],
                    [n + 1])
    return REGISTER.judge(builder.history(), REGISTER.options())


def test_a_read_of_what_nobody_wrote_is_invalid_where_its_key_is_known():
    assert "invalid" == judged(7).outcome


def test_a_read_that_has_lost_its_key_is_not_judged_by_nobody():
    with pytest.raises(CheckError, match="operation 4 has no key, and others have"):
        judged(None)


def keyed(*rows):
    """The verdict on rows of (process, type, f, value, key)."""
    builder = Builder("history")
    for n, (process, kind, f, value, its) in enumerate(rows):
        builder.add([Row(type=kind, process=process, f=f, value=value, time=n, index=n, key=its)],
                    [n + 1])
    return REGISTER.judge(builder.history(), REGISTER.options())


@pytest.mark.parametrize(("asked", "told", "key", "its_end"), [
    (None, 99, "a", "b"), (["a", None], ["b", 99], None, None),
])
def test_a_read_that_ends_under_another_key_is_not_judged_by_nobody(asked, told, key, its_end):
    write = 1 if key else ["a", 1]
    with pytest.raises(CheckError, match='operation 3 ends with key "b", and began with "a"'):
        keyed((0, "invoke", "write", write, key), (0, "ok", "write", write, key),
              (0, "invoke", "read", asked, key), (0, "ok", "read", told, its_end))


def test_a_row_without_process_and_key_is_not_judged_by_nobody():
    with pytest.raises(CheckError, match="operation 2 has no key, and others have"):
        keyed((None, "invoke", "write", 1, 7), (None, "ok", "write", 1, 7),
              (None, "invoke", "read", None, None), (None, "ok", "read", 99, None))


@pytest.mark.parametrize("kind", ["info", "fail"])
@pytest.mark.parametrize(("name", "read"), [("set", [1]), ("set_full", [1]), ("counter", 1)])
def test_what_did_not_succeed_need_not_tell_its_key(name, read, kind):
    rows = [*histories.done(0, "add", ["a", 1]), (1, "invoke", "add", ["a", 2]),
            (1, kind, "add", None), *histories.done(0, "read", ["a", None], ["a", read])]
    assert "valid" == histories.judged(name, rows).outcome
