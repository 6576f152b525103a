"""Read EDN, as Jepsen and Elle write it, and write values in one canonical way."""

import json
import re
from collections.abc import Iterator
from typing import Any

DEPTH = 64
"""How deep values may be nested: no history needs more, and a hostile one may not."""


class EdnError(ValueError):
    """The text is no EDN; `position` is where."""

    def __init__(self, message: str, position: int) -> None:
        self.position = position
        super().__init__(message)


class Keyword(str):
    """An EDN keyword or symbol, as it is written; `str` of a keyword has its colon."""

    __slots__ = ()


class Elements(list[Any]):
    """An EDN set: its elements in the order of the file."""

    __slots__ = ()


_TOKEN = re.compile(
    r'[\s,]+|;[^\n]*|(?P<string>"(?:[^"\\]|\\.)*")|(?P<open>#\{|[\[({])|(?P<close>[\])}])'
    r"|(?P<char>\\(?:u[0-9a-fA-F]{4}|[a-z]+|.))|(?P<discard>#_)|(?P<special>##\w+)|(?P<tag>#[^\s,()\[\]{}\";]+)"
    r"|(?P<word>[^\s,()\[\]{}\";]+)",
    re.DOTALL,
)
_ENDS = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_WORDS = {"nil": None, "true": True, "false": False, "##Inf": float("inf"),
          "##-Inf": float("-inf"), "##NaN": float("nan")}
_CHARS = {"newline": "\n", "space": " ", "tab": "\t", "return": "\r"}
_CONSTANTS = {None: "nil", True: "true", False: "false"}
_NUMBER = re.compile(r"[+-]?\d")


class _Open:
    """A collection that is not closed yet."""

    __slots__ = ("begun", "end", "kind", "skipped", "values")

    def __init__(self, kind: str, begun: int) -> None:
        self.kind, self.begun, self.end = kind, begun, _ENDS.get(kind, "")
        self.values: list[Any] = []
        self.skipped = 0

    def add(self, value: Any) -> None:
        """Take a value in, unless it is to be discarded."""
        if self.skipped:
            self.skipped -= 1
        else:
            self.values.append(value)

    def closed(self) -> Any:
        if self.kind in "([":
            return self.values
        if self.kind == "#{":
            return Elements(self.values)
        if len(self.values) % 2:
            raise EdnError("a map lacks a value", self.begun)
        found = dict(zip(map(_hashable, self.values[::2]), self.values[1::2], strict=True))
        if len(found) * 2 != len(self.values):
            raise EdnError("a map has a key twice", self.begun)
        return found


def forms(text: str) -> Iterator[tuple[int, Any]]:
    """Give each form and its end; of a vector or list that holds all, each of its elements.

    Only one of them is held at a time. Vectors and lists are lists, maps are dicts.
    """
    stack = [_Open("(", 0)]
    for position, kind, token in _tokens(text):
        if _holds_all(stack) and token == stack[-1].end:
            stack.pop()  # the outermost: its elements are told already
        else:
            _take(stack, kind, token, position)
        if stack[-1].values and (len(stack) == 1 or _holds_all(stack)):
            yield position, stack[-1].values.pop()
    if len(stack) > 1:
        raise EdnError(f"'{stack[-1].kind}' is never closed", stack[-1].begun)


def _holds_all(stack: list[_Open]) -> bool:
    return len(stack) == 2 and stack[-1].kind in "(["


def _take(stack: list[_Open], kind: str, token: str, position: int) -> None:
    if kind == "open":
        if len(stack) > DEPTH:
            raise EdnError(f"nested deeper than {DEPTH}", position)
        stack.append(_Open(token, position))
    elif kind == "discard":
        stack[-1].skipped += 1
    else:
        value = _close(stack, token, position) if kind == "close" else \
            _scalar(kind, token, position)
        stack[-1].add(value)


def parse(text: str) -> Any:
    """Read the one value of a text."""
    found = [value for _, value in forms(f"({text}\n)")]
    if len(found) != 1:
        raise EdnError("not one value", 0)
    return found[0]


def written(value: Any, depth: int = 0) -> str:
    """Write a value so that equal values, and no others, have equal texts."""
    if depth > DEPTH:
        raise ValueError(f"a value is nested deeper than {DEPTH}")
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, str):
        return str(value) if isinstance(value, Keyword) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        pairs = (f"{written(k, depth + 1)} {written(v, depth + 1)}" for k, v in value.items())
        return "{" + ", ".join(sorted(pairs)) + "}"
    if isinstance(value, list | tuple):
        texts = [written(v, depth + 1) for v in value]
        return "#{" + " ".join(sorted(texts)) + "}" if isinstance(value, Elements) \
            else "[" + " ".join(texts) + "]"
    return repr(value)


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        kind = match.lastgroup
        if kind is not None and kind != "tag":  # a tagged value is read as the value itself
            yield match.start(), kind, match.group()
    if end != len(text):
        raise EdnError("a string is never closed" if text[end] == '"' else "no EDN", end)


def _close(stack: list[_Open], token: str, position: int) -> Any:
    top = stack[-1]
    if len(stack) == 1 or top.end != token:
        raise EdnError(f"'{token}' closes nothing", position)
    if top.skipped:
        raise EdnError("'#_' has nothing to discard", position)
    return stack.pop().closed()


def _scalar(kind: str, token: str, position: int) -> Any:
    if kind == "string":
        return _string(token, position)
    if kind == "char":
        name = token[1:]
        if len(name) == 5 and name[0] == "u":
            return chr(int(name[1:], 16))
        return _CHARS.get(name, name)
    if token in _WORDS:
        return _WORDS[token]
    return _number(token, position) if _NUMBER.match(token) else Keyword(token)


def _string(token: str, position: int) -> str:
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(json.loads(token, strict=False))
    except ValueError as error:
        raise EdnError(f"a string has an unknown escape: {token[:40]}", position) from error


def _number(token: str, position: int) -> int | float:
    try:
        if token.rstrip("N").lstrip("+-").isdecimal():
            return int(token.rstrip("N"))
        top, slash, bottom = token.partition("/")
        if slash:
            return int(top) / int(bottom)
        return float(token.rstrip("M"))
    except (ValueError, ZeroDivisionError) as error:
        raise EdnError(f"no number: {token[:40]}", position) from error


def _hashable(value: Any) -> Any:
    if isinstance(value, list):
        return written(value)
    return written(value) if isinstance(value, dict) else value
