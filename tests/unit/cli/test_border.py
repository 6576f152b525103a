"""Errors at the terminal: one sentence, the right exit code, never a traceback."""

import pytest
import typer

from holdfast.cli.border import border
from holdfast.errors import (
    EvidenceError,
    GuardTripped,
    HoldfastError,
    Postponed,
    ResidueError,
    SpecError,
    Stopped,
)


@pytest.mark.parametrize(("error", "code"), [
    (HoldfastError("broken"), 1),
    (SpecError("wrong", where="a.yaml:3:1", hint="do this"), 2),
    (Postponed("busy"), 3),
    (GuardTripped("over"), 4),
    (Stopped("by hand"), 4),
    (ResidueError("left", lease="1"), 5),
    (EvidenceError("cut", index=4), 6),
    (OSError("no disk"), 1),
])
def test_every_error_has_its_exit_code(error, code):
    with pytest.raises(typer.Exit) as ended, border():
        raise error
    assert code == ended.value.exit_code


def test_the_message_goes_to_standard_error_with_place_and_cure(capsys):
    with pytest.raises(typer.Exit), border():
        raise SpecError("unknown fault 'x'", where="a.yaml:3:1", hint="known: noop")
    out, err = capsys.readouterr()
    assert ("", "holdfast: a.yaml:3:1: unknown fault 'x' (known: noop)\n") == (out, err)


def test_a_bug_is_not_dressed_up_as_an_answer():
    with pytest.raises(ZeroDivisionError), border():
        print(1 / 0)
