"""Give a value the same bytes everywhere: sorted, compact JSON without floats."""

import json
from collections.abc import Mapping, Sequence

from holdfast.errors import EvidenceError

_LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """Write whole numbers, text, booleans, null, lists, maps; refuse all else, with its place."""
    _check(value, "$")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


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
