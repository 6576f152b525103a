"""Give a value the same bytes everywhere: sorted, compact JSON without floats."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from holdfast.errors import EvidenceError

_LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """Write whole numbers, text, booleans, null, lists, maps; refuse all else, with its place."""
    _check(value, "$")
    return _written(value)


def read_canonical(content: bytes) -> Any:
    """Read what is written in the one way; ValueError, TypeError or RecursionError if not.

    Of a key that is there twice, or of a number that does not fit, readers take what they like.
    """
    told = _READER.decode(str(content, "utf-8"))  # TypeError for what is no bytes
    if _written(told) != content:
        raise ValueError("not written in the one way: sorted, compact, each key once")
    return told


def _written(value: object) -> bytes:
    return _WRITER.encode(value).encode()


def _number(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST:
        raise ValueError(f"{text[:20]} is larger than 2^53 - 1")
    return number


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} has no one way to be written")


_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_READER = json.JSONDecoder(
    parse_int=_number, parse_float=_refused, parse_constant=_refused)


def _check(value: object, place: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise EvidenceError(f"{place}: the key {key!r} is not ASCII text")
            _check(item, f"{place}.{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, item in enumerate(value):
            _check(item, f"{place}[{number}]")
    else:
        _check_leaf(value, place)


def _check_leaf(value: object, place: str) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise EvidenceError(f"{place}: the text is not Unicode: {error}") from error
    elif value is None:
        return
    elif not isinstance(value, int):
        raise EvidenceError(f"{place}: {type(value).__name__} has no one way to be written")
    elif abs(value) > _LARGEST:
        raise EvidenceError(f"{place}: {value} is larger than 2^53 - 1")
