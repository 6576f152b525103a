"""What pydantic says about a suite, in words an author can act on."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from holdfast.model.suite import Suite
from holdfast.spec.letters import foreign
from holdfast.spec.problems import Place, Problem, nearest

_NAME = r"^[a-z][a-z0-9-]{0,62}$"
_FILLED = r"\S"
_EXPECTED = {
    "string_type": "a text", "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false",
    "tuple_type": "a list", "list_type": "a list",
    "dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping",
}


def problems(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Translate the errors of a ValidationError."""
    told = list(errors)
    found = [_problem(error) for error in told if not follows(error)]
    misspelt = {
        (p.place[:-1], p.hint.partition("?")[0] + "?")
        for p in found if p.text.startswith("unknown word")
    }
    return [p for p in found if (p.place, f"did you mean {_first(p.text)}?") not in misspelt]


def follows(error: Mapping[str, Any]) -> bool:
    """Tell a list that only lacks items because they are wrong themselves."""
    return error["type"] == "too_short" and bool(error["input"])


def _first(text: str) -> str:
    return text.partition(" is missing")[0]


def _problem(error: Mapping[str, Any]) -> Problem:
    place = tuple(error["loc"])
    on_key = bool(place) and place[-1] == "[key]"
    place = place[:-1] if on_key else place
    kind, value = str(error["type"]), error["input"]
    if kind in _EXPECTED:
        return Problem(place, f"{_called(place)} is {_EXPECTED[kind]}, not {_shown(value)}")
    say = _SAY.get(kind)
    if say is None:
        return Problem(place, f"{_shown(value)}: {error['msg']}", on_key=on_key)
    found = say(place, value, error.get("ctx", {}))
    return Problem(found.place, found.text, found.hint, on_key or found.on_key)


def _missing(place: Place, _value: Any, _ctx: Mapping[str, Any]) -> Problem:
    return Problem(place[:-1], f"'{place[-1]}' is missing")


def _extra(place: Place, _value: Any, _ctx: Mapping[str, Any]) -> Problem:
    hint = nearest(place[-1], words_at(place[:-1]))
    return Problem(place, f"unknown word '{place[-1]}'", hint, on_key=True)


def _choice(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    known = str(ctx["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    return Problem(place, f"unknown {_called(place)} {_shown(value)}", nearest(value, known))


def _pattern(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    if ctx.get("pattern") == _FILLED:
        return Problem(place, f"{_called(place)} is empty", "write one")
    if ctx.get("pattern") != _NAME:
        return Problem(place, f"{_shown(value)} does not match {ctx.get('pattern')}")
    hint = "lower-case letters, digits and hyphens, a letter first, at most 63"
    return Problem(place, f"{_shown(value)} is not a name",
                   f"{other}; {hint}" if (other := foreign(str(value))) else hint)


def _too_short(place: Place, _value: Any, _ctx: Mapping[str, Any]) -> Problem:
    return Problem(place, f"{_called(place)} is empty", "at least one is needed")


def _empty_text(place: Place, _value: Any, _ctx: Mapping[str, Any]) -> Problem:
    return Problem(place, f"{_called(place)} is empty")


def _too_long(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    text = f"{_called(place)} has {len(value)} letters"
    return Problem(place, text, f"at most {ctx['max_length']}")


def _too_many(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    text = f"{_called(place)} has {len(value)} items"
    return Problem(place, text, f"at most {ctx['max_length']}")


def _too_small(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    return Problem(place, f"{_called(place)} is {_shown(value)}", f"at least {ctx['ge']}")


def _too_large(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    return Problem(place, f"{_called(place)} is {_shown(value)}", f"at most {ctx['le']}")


def _value(place: Place, value: Any, ctx: Mapping[str, Any]) -> Problem:
    return Problem(place, f"{_called(place)} is {_shown(value)}", str(ctx["error"]))


_SAY: Mapping[str, Callable[[Place, Any, Mapping[str, Any]], Problem]] = {
    "missing": _missing, "extra_forbidden": _extra, "literal_error": _choice, "enum": _choice,
    "string_pattern_mismatch": _pattern, "too_short": _too_short, "string_too_short": _empty_text,
    "string_too_long": _too_long, "too_long": _too_many,
    "greater_than_equal": _too_small, "less_than_equal": _too_large, "value_error": _value,
}


def _called(place: Place) -> str:
    """Name a place by its last word: `rounds`, `checks 2`."""
    if not place:
        return "the file"
    if isinstance(place[-1], int):
        return f"{_called(place[:-1])} {place[-1] + 1}"
    return f"'{place[-1]}'"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def words_at(place: Place, schema: dict[str, Any] | None = None) -> list[str]:
    """The words that a suite, or what else has this schema, may have at a place."""
    schema = schema or _schema()
    node = schema
    for step in place:
        node = _resolve(schema, node)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step) or _any_key(node)
    return list(_resolve(schema, node).get("properties", {}))


def _any_key(node: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under a key that the author chooses."""
    for values in node.get("patternProperties", {}).values():
        return dict(values)
    return {}


@cache
def _schema() -> dict[str, Any]:
    return Suite.model_json_schema()


def _resolve(schema: Mapping[str, Any], node: Any) -> dict[str, Any]:
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            node = option
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return dict(node)
