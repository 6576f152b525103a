"""Choices of one run: one model draws the trigger form and checks what reaches the task."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from airflow.sdk import Param
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.errors import SpecError

_FORM_KEYS = ("type", "title", "items", "minItems", "uniqueItems")


class Choices(BaseModel):
    """What the person who triggers a run may choose."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    experiments: list[str] = Field(
        min_length=1,
        title="Experiments",
        description="Take out what this run is to leave alone; at least one must stay.",
        json_schema_extra={"uniqueItems": True},
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Only plan and check whether the run could start: no fault, no lock. "
        "The plan is in the log of the task plan.",
    )


def form(experiments: Mapping[str, str]) -> dict[str, Param]:
    """Draw the trigger form of a suite: each experiment with what it does, all chosen at first."""
    names = list(experiments)
    drawn = _drawn()
    defaults: dict[str, Any] = {"experiments": names, "dry_run": False}
    offered: dict[str, dict[str, Any]] = {
        "experiments": {
            "items": {"type": "string", "enum": names}, "examples": names,
            "description_md": "\n".join([
                drawn["experiments"]["description"], "",
                *(f"- **{name}**: {text}" for name, text in experiments.items()),
            ]),
        }
    }
    return {
        name: Param(
            default,
            None if name in offered else drawn[name]["description"],  # the form prefers plain text
            schema={k: v for k, v in drawn[name].items() if k in _FORM_KEYS}
            | offered.get(name, {}),
        )
        for name, default in defaults.items()
    }


@cache
def _drawn() -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = Choices.model_json_schema()["properties"]
    return properties


def choices(params: Mapping[str, Any], experiments: Sequence[str]) -> Choices:
    """Check what reached the task, which need not have come from the form."""
    try:
        chosen = Choices.model_validate(dict(params))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "params." + ".".join(str(part) for part in first["loc"])
        raise SpecError(
            first["msg"], where=where, hint=f"known: {', '.join(Choices.model_fields)}"
        ) from error
    for name in chosen.experiments:
        if name not in experiments:
            raise SpecError(
                f"unknown experiment '{name}'",
                where="params.experiments",
                hint=f"known: {', '.join(experiments)}",
            )
    return chosen
