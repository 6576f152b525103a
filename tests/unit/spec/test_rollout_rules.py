"""Rollouts in a file: read, unrolled, every step held to every rule (S8)."""

import pytest

from holdfast.spec.load import load_text
from holdfast.spec.problems import SpecErrors
from support import suites

ROUND = """\
  - experiments:
      - name: grow
        hypothesis: It holds a little longer each time.
        fault: {type: latency, target: link, duration: 6s}
        rollout: {steps: [STEPS]}
consistency:
"""
WELL = "{params: {latency: 50ms}}, {params: {latency: 100ms, share: 50%}}"


def text(steps: str = WELL, *changes: tuple[str, str]) -> str:
    return suites.text(("consistency:\n", ROUND.replace("STEPS", steps)), *changes)


def complaints(steps: str = WELL, *changes: tuple[str, str]) -> list[str]:
    try:
        load_text(text(steps, *changes), "f", suites.known())
    except SpecErrors as error:
        return [f"{e.where} {e.message} ({e.hint})" for e in error.errors]
    return []


def test_a_suite_is_unrolled_when_it_is_read():
    rounds = load_text(text(), "f", suites.known()).suite.rounds
    assert ["first", "beside", "second", "grow-1", "grow-2"] == [
        e.name for r in rounds for e in r.experiments]
    assert {"latency": "100ms", "share": "50%"} == rounds[-1].experiments[0].fault.params


@pytest.mark.parametrize(("steps", "told"), [
    ("{params: {latency: 1ms}}",
     "f:34:46 'latency' is '1ms' (at least 0.01s)"),
    (f"{WELL}, {{params: {{latncy: 1s}}}}",
     "f:34:104 unknown parameter 'latncy' (did you mean 'latency'?)"),
    (f"{WELL}, {{target: lnk}}", "f:34:103 unknown service 'lnk' (did you mean 'link'?)"),
    (f"{WELL}, {{target: api}}",
     "f:34:103 latency needs a service with a 'proxy' address ('api' has: process)"),
    (f"{WELL}, {{params: {{latency: 50ms}}}}",
     "f:34:94 step 3 is the same as step 1 (each step hits harder than the one before)"),
    ("", "f:34:26 'steps' is empty (at least one is needed)"),
])
def test_a_wrong_step_is_told_at_its_place(steps, told):
    assert [told] == complaints(steps)


@pytest.mark.parametrize(("change", "told"), [
    (("name: second", "name: grow-2"),
     "f:34:54 experiment 'grow-2' is there twice (give it a name of its own)"),
    (("duration: 6s}\n        rollout", "duration: 6s}\n        if_held: secnd\n        rollout"),
     "f:34:18 no experiment 'secnd' in an earlier round (did you mean 'second'?)"),
    (("        expect: {recovery_within: 30s}", "        if_held: second"),
     "f:29:18 no experiment 'second' in an earlier round (known: beside, first)"),
    (("duration: 6s, delay: 2s, params: {latency: 100ms}}",
      "duration: 6s}\n        if_held: first"),
     "f:25:9 an experiment with 'if_held' is alone in its round "
     "(move the others to another round)"),
])
def test_what_does_not_fit_the_rest_of_the_suite_is_told(change, told):
    assert told in complaints(WELL, change)


def test_a_name_that_a_step_has_is_taken_for_later_rounds_too():
    later = ROUND.partition("        rollout")[0].replace("grow", "grow-1") + "consistency:\n"
    first = ROUND.replace("STEPS", WELL).removesuffix("consistency:\n")
    with pytest.raises(SpecErrors, match="f:36:15: experiment 'grow-1' is there twice"):
        load_text(suites.text(("consistency:\n", first + later)), "f", suites.known())


def test_there_is_nothing_to_wait_for_in_the_first_round():
    change = ("        stop_on: {errors", "        if_held: beside\n        stop_on: {errors")
    assert any("(there is no earlier round)" in told for told in complaints(WELL, change))


def test_a_rollout_counts_with_all_its_steps():
    many = ", ".join(f"{{params: {{count: {n}}}}}" for n in range(1, 41))
    assert ["f:16:3 43 experiments (at most 40)"] == complaints(many)
