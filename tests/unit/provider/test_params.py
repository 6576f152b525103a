"""Choices of one run, from the form or from anywhere."""

import pytest

from holdfast.errors import SpecError
from holdfast.provider.params import Choices, choices, form

TOLD = {"left": "It holds.", "right": "It holds too."}
NAMES = list(TOLD)


def test_the_form_offers_every_experiment_and_chooses_all():
    drawn = form(TOLD)["experiments"]
    assert drawn.value == NAMES
    assert drawn.schema["examples"] == NAMES
    assert drawn.schema["items"]["enum"] == NAMES


def test_what_the_form_gives_passes_the_task():
    given = {name: param.resolve() for name, param in form(TOLD).items()}
    assert Choices(experiments=NAMES, dry_run=False) == choices(given, NAMES)


@pytest.mark.parametrize(("params", "message"), [
    pytest.param({"experiments": ["up"]}, "unknown experiment 'up' .known: left, right",
                 id="unknown-experiment"),
    pytest.param({"experiments": []}, "params.experiments", id="none-chosen"),
    pytest.param({"experiments": ["left"], "dry_run": "yes"}, "params.dry_run", id="no-boolean"),
    pytest.param({"experiments": "left"}, "params.experiments", id="no-list"),
    pytest.param({"experiments": ["left"], "dryrun": True}, "params.dryrun", id="unknown-param"),
])
def test_what_was_not_offered_is_an_error_with_its_place(params, message):
    with pytest.raises(SpecError, match=message):
        choices(params, NAMES)


@pytest.mark.parametrize("value", [["up"], [], ["left", "left"], None])
def test_the_form_refuses_what_the_task_would(value):
    with pytest.raises(ValueError):
        form(TOLD)["experiments"].resolve(value)
