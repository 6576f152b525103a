"""Whatever is in a suite file: a good error with its place, or a sound outline (O1).

Never a traceback, and never more than two seconds of processor time or 200 MB.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.spec.load import load_suite, load_text
from holdfast.spec.problems import SpecErrors
from support import suites

GOOD = suites.text()
WORDS = sorted({word.strip("{},:\"'[]") for word in GOOD.split()} | {
    "{{ 7 * 7 }}", "${HOME}", "$(id)", "`id`", "../..", "-1", "1e999", ".nan", "true", "null", "~",
    "0x10", "9" * 400, "\u0430pi", "!!python/name:os.system", "&a", "*a", "<<", "[", "{", "\t",
})
INCLUDE = Path(__file__).parents[3] / "include"


def is_told(text):
    """Read it; an error is one line that names file and place and says something."""
    try:
        loaded = load_text(text, "f", suites.known())
    except SpecErrors as wrong:
        for line in str(wrong).splitlines():
            assert line.startswith("f:") and len(line) < 1200
            assert line.isprintable(), line
        assert len(wrong.errors) <= 51
    else:
        assert loaded.suite.rounds


def test_waits_that_are_endless_together_are_told():
    wait = "delay: 23999999976h"
    is_told(suites.text(
        ("duration: 7s", f"duration: 7s, {wait}, after: beside"), ("delay: 2s", wait),
        ("  - experiments:\n      - name: second", "      - name: second"),
        ("duration: 8s", "duration: 8s, after: first"),
    ))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.suite.yaml"
    file.write_bytes(content)
    with pytest.raises(SpecErrors, match=r"any\.suite\.yaml"):
        load_suite(file)


@st.composite
def mutations(draw):
    """A good suite with up to four pieces cut, doubled, moved or replaced."""
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 40)))
        piece = draw(st.one_of(
            st.just(""), st.just(text[begin:end] * 2), st.sampled_from(WORDS), st.text(max_size=8),
        ))
        text = text[:begin] + piece + text[end:]
    return text


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_any_change_of_a_good_suite_is_read_or_told(text):
    is_told(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_value_at_any_place_is_read_or_told(data):
    """One word of the suite becomes something else, of whatever type."""
    word = data.draw(st.sampled_from([w for w in WORDS if f" {w}" in GOOD]))
    value = data.draw(st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner,
                                                                   max_size=3), max_leaves=6))
    is_told(GOOD.replace(f" {word}", f" {json.dumps(value)}", 1))


SHORT = "hypothesis: x, fault: {type: hang, target: api, duration: 1s"
ROUNDS = GOOD.partition("rounds:")[0] + "rounds:\n- experiments:\n"
COSTLY = {
    "deep": "[" * 100_000, "deep-maps": "{a: " * 60_000, "wide": "a: [" + "1, " * 80_000 + "1]\n",
    "keys": "".join(f"k{n}: 1\n" for n in range(20_000)), "one-key": "k" * 250_000 + ": 1\n",
    "aliases": "a: &a [" + "x, " * 4000 + "x]\n" + "".join(f"b{n}: *a\n" for n in range(16)),
    "digits": "apiVersion: " + "9" * 200_000, "blanks": GOOD + " " * 200_000,
    "quotes": 'a: "' + "\\n" * 100_000 + '"', "comment": "#" * 262_000,
    "bound": GOOD.replace('"< 1%"', '"<' + " " * 100_000 + 'x"'),
    "stop": GOOD.replace('"> 60% for 4s"', '"> 60%' + " " * 100_000 + 'x"'),
    "cron": GOOD + 'schedule: {cron: "' + ",".join(["*/1"] * 50_000) + ' * * * *"}\n',
    "select": GOOD.replace(f'{{prometheus: "{suites.ERRORS}"}}',
                           '{sql: shop_db, query: "select' + " " * 100_000 + '; x"}'),
    "promql": GOOD.replace(suites.ERRORS, "[" * 100_000),
    "rounds": GOOD.partition("rounds:")[0] + "rounds: [" + "1, " * 9_000 + "1]\n",
}
COSTLY |= {
    "chain": ROUNDS + f"  - {{name: e0, {SHORT}}}}}\n" + "".join(
        f"  - {{name: e{n}, {SHORT}, after: e{n - 1}}}}}\n" for n in range(1, 1000)),
    "steps": ROUNDS + f"  - {{name: e0, {SHORT}}}, rollout: {{steps: [" + ", ".join(
        f"{{target: a{n}}}" for n in range(4900)) + "]}}\n",
    "names": ROUNDS + f"  - {{name: e0, {SHORT}}}, expect: {{mechanisms: [" + ", ".join(
        f"n{n}" for n in range(5000)) + "]}}\nmechanisms:\n" + "".join(
        f"  mechanism-{n}: {{type: circuit_breaker}}\n" for n in range(2200)),
    "controls": GOOD.replace('"dora:art-24.4"', ", ".join(f"dora:art-{n}" for n in range(9500))),
    "approvers": GOOD + "approval: {by: [" + ", ".join(
        f"a-name-as-long-as-{n}" for n in range(9500)) + "]}\n",
}
_BOUNDED = """
import resource, sys, time
from pathlib import Path
from holdfast.spec.load import load_suite
from holdfast.spec.problems import SpecErrors
from holdfast.spec.rules import installed
known = installed()
used = int(time.process_time()) + 1
resource.setrlimit(resource.RLIMIT_CPU, (used + 2, used + 2))
try:
    load_suite(Path(sys.argv[1]), known)
except SpecErrors as wrong:
    print(str(wrong)[:300])
status = Path("/proc/self/status").read_text()  # getrusage tells the parent's peak too
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.parametrize("name", COSTLY)
def test_what_is_made_to_be_costly_is_not(tmp_path, name):
    """In a process of its own, which the system ends when it takes too long."""
    file = tmp_path / f"{name}.suite.yaml"
    file.write_text(COSTLY[name])
    done = subprocess.run([sys.executable, "-c", _BOUNDED, str(file)], text=True, check=False,
                          capture_output=True, env={"PYTHONPATH": str(INCLUDE)})
    assert not done.returncode, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 200, done.stdout
