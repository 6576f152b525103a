"""How long the lint of 1,000 findings takes, beside the schema's look at the same documents.

By `make bench` only.
"""

import json
import statistics
import time

from holdfast.oscal.lint import lint
from support.oscal import IDS, Records, check, trial, validator

FINDINGS, TURNS = 1000, 20
CONTROLS = sorted(c.name for c in IDS.values() if c.strength == "direct")[:50]


def many() -> dict[str, bytes]:
    """Ten runs of two services, fifty controls each: a half of the runs failed."""
    records = Records()
    for n in range(FINDINGS // 100):
        run, bad = f"run-{n}", n % 2 == 1
        records.plan(run, ("first", "api"), ("second", "database"))
        records.start(run, controls=CONTROLS)
        records.result(
            run, trial("first", "BROKEN" if bad else "HELD"), trial("second", "HELD", "database"),
            controls=CONTROLS, findings=[check("recovery", experiment="first")] if bad else [],
        )
    return records.documents()


def milliseconds(turns, deed):
    took = []
    for _ in range(turns):
        began = time.perf_counter()
        deed()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def test_the_lint_of_a_thousand_findings(capsys):
    made = many()
    results = json.loads(made["assessment-results.json"])["assessment-results"]["results"]
    assert FINDINGS == sum(len(one["findings"]) for one in results)
    assert [] == list(lint(made, IDS))
    ours = milliseconds(TURNS, lambda: lint(made, IDS))
    theirs = milliseconds(1, lambda: [
        list(validator(name).iter_errors(json.loads(content))) for name, content in made.items()])
    size = sum(map(len, made.values()))
    with capsys.disabled():
        print(f"\n{FINDINGS} findings in 3 documents, {size / 1e6:.1f} MB: lint {ours:.0f} ms "
              f"(median of {TURNS}), schema {theirs:.0f} ms, {theirs / ours:.0f} times as long")
