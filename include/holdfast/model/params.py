"""Parameters of a fault: what its author wrote, read by the driver's own settings."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.model.fault import Setting
from holdfast.model.quantities import parse_duration

Value = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class Misread:
    """A parameter that cannot be used; `known` tells a wrong value from an unknown name."""

    name: str
    text: str
    hint: str = ""
    known: bool = True


def read_params(
    given: Mapping[str, object], settings: Mapping[str, Setting]
) -> tuple[dict[str, Value], list[Misread]]:
    """Fill in the defaults and say what is wrong; durations become seconds."""
    values: dict[str, Value] = {name: setting.default for name, setting in settings.items()}
    wrong = [
        Misread(name, f"the parameter '{name}' is missing", setting.meaning)
        for name, setting in settings.items() if setting.required and name not in given
    ]
    for name, raw in given.items():
        if name not in settings:
            wrong.append(Misread(name, f"unknown parameter '{name}'", known=False))
            continue
        try:
            values[name] = _read(raw, settings[name])
        except ValueError as error:
            wrong.append(Misread(name, f"'{name}' is {_shown(raw)}", str(error)))
    return values, wrong


def _shown(raw: object) -> str:
    return str(raw).lower() if isinstance(raw, bool) else f"'{raw}'"


def _read(raw: object, setting: Setting) -> Value:
    value = _READERS[setting.kind](raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        unit = "s" if setting.kind == "duration" else ""
        if setting.low is not None and value < setting.low:
            raise ValueError(f"at least {setting.low:g}{unit}")
        if setting.high is not None and value > setting.high:
            raise ValueError(f"at most {setting.high:g}{unit}")
    return value


def _duration(raw: object) -> Value:
    return parse_duration(raw).total_seconds()


def _ratio(raw: object) -> Value:
    if isinstance(raw, str) and raw.endswith("%"):
        raw = _number(raw.removesuffix("%")) / 100
    value = _number(raw)
    if not 0 <= value <= 1:
        raise ValueError("a ratio is between 0 and 1, or 0% and 100%")
    return value


def _integer(raw: object) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError("a whole number is expected")
    return raw


def _flag(raw: object) -> Value:
    if not isinstance(raw, bool):
        raise ValueError("true or false is expected")
    return raw


def _text(raw: object) -> Value:
    if not isinstance(raw, str):
        raise ValueError("a text is expected")
    return raw


def _number(raw: object) -> float:
    is_text = isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", raw.strip())
    if isinstance(raw, bool) or not (is_text or isinstance(raw, int | float)):
        raise ValueError("a number is expected")
    return float(raw)  # type: ignore[arg-type]  # a text that matched


_READERS: Mapping[str, Callable[[object], Value]] = {
    "duration": _duration, "ratio": _ratio, "integer": _integer, "flag": _flag, "text": _text,
}
