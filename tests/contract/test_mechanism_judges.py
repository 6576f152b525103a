"""Every installed judge of a mechanism keeps the promises of its port; a new file needs no edit."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.mechanism import MechanismState
from holdfast.model.operation import Operation
from holdfast.model.params import read_params
from holdfast.ports.mechanisms import Mechanism, Watched
from holdfast.registry import Registry
from support.lab import CHECKOUT
from support.mechanisms import END, INJECTED, REVERTED, START

JUDGES = Registry[Mechanism]("mechanisms", "MECHANISM")
NAMES = list(JUDGES)
DOCUMENT = (CHECKOUT / "docs" / "mechanisms.md").read_text()
GIVEN = {"limit": "300ms", "must": "order"}
"""What has no default."""


def watched(judge, series, operations=()):
    given = {name: GIVEN[name] for name, s in judge.params.items() if s.required}
    params, wrong = read_params(given, judge.params)
    assert not wrong
    return Watched(START, INJECTED, REVERTED, END, series, operations, params)


def flat(judge):
    """A watch in which nothing whatever happened."""
    calm = [(START + n, 0.0) for n in range(31)]
    return watched(judge, dict.fromkeys(judge.indicators, calm))


@st.composite
def seen(draw, judge):
    """Any numbers at all, but for counters, which only rise."""
    series = {}
    for name, about in judge.indicators.items():
        values = draw(st.lists(st.floats(0, 1e6), min_size=0 if about.sparse else 1, max_size=31))
        if about.counter:
            values = [sum(values[:n]) for n in range(len(values))]
        first = draw(st.integers(0, 31 - len(values)))
        series[name] = [(START + first + n, value) for n, value in enumerate(values)]
    kinds = st.tuples(st.floats(INJECTED, REVERTED), st.sampled_from(["ok", "fail", "info"]),
                      st.sampled_from(["order", "browse"]))
    operations = [
        Operation(n, n, f, None, at, at, None if outcome == "info" else at + 1, outcome)
        for n, (at, outcome, f) in enumerate(draw(st.lists(kinds, max_size=20)))
    ]
    return watched(judge, series, operations if judge.reads_history else ())


@pytest.mark.parametrize("name", NAMES)
def test_what_nothing_asked_to_act_is_not_validated(name):
    judge = JUDGES[name]
    assert MechanismState.NOT_VALIDATED is judge.judge(flat(judge)).state


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_seen_there_is_a_state_a_sentence_and_plain_figures(name, data):
    judge = JUDGES[name]
    what = data.draw(seen(judge))
    found = judge.judge(what)
    assert found.state in MechanismState
    assert found.text
    assert "\n" not in found.text
    assert dict(found.figures) == json.loads(json.dumps(dict(found.figures)))
    assert found == judge.judge(what), "the same watch gives another verdict"


@pytest.mark.parametrize("name", NAMES)
def test_what_works_has_nothing_to_wait_for(name):
    """`may_change` is for what has yet to come back."""
    judge = JUDGES[name]
    assert not judge.judge(flat(judge)).may_change


@pytest.mark.parametrize("name", NAMES)
def test_it_is_documented_with_every_indicator_and_parameter(name):
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}` |")]
    judge = JUDGES[name]
    words = [*judge.indicators, *(f"`{param}" for param in judge.params)]
    assert [] == [word for word in words if word not in row]


def test_each_is_a_file_of_its_own():
    files = {f.stem for f in Path(CHECKOUT, "include/holdfast/mechanisms").glob("[a-z]*.py")}
    assert files == set(NAMES)
