"""How long the report of a two-hour run at one sample a second takes. Run by `make bench` only."""

import json
import random
import time
from datetime import timedelta

from holdfast.model.run import RunState
from holdfast.steps.content import content
from holdfast.steps.report import renderers
from support.after import ended, put_lease, set_state
from support.ports import START
from support.runs import RUN

HOURS, FAULTS = 2, 60


def samples():
    """Every objective by the second, with a spike under each fault."""
    chance, start = random.Random(7), START.timestamp()
    seconds = range(HOURS * 3600)
    spike = {n * 120 + s for n in range(FAULTS) for s in range(8)}
    return {
        "start": start, "end": start + HOURS * 3600, "step": 1.0,
        "series": {
            "latency": [[start + s, 0.02 + chance.random() / 99 + (s in spike)] for s in seconds],
            "errors": [[start + s, 0.4 if s in spike else 0.0] for s in seconds],
        },
    }


def test_a_two_hour_run_by_the_second(tmp_path, capsys):
    ports = ended(tmp_path)
    for number in range(FAULTS):
        at = 1000.0 + number * 120
        put_lease(ports, "second", 1, id=f"lease-{number}", injected_at=at, reverted_at=at + 8,
                  clean_at=at + 8.5)
    kept = json.dumps(samples()).encode()
    ports.artefacts.put(RUN, "samples.json", kept, "application/json")
    end = START + timedelta(hours=HOURS)
    set_state(ports, RunState.ENDED, ended_at=end.isoformat())
    began = time.process_time()
    told = content(ports, RUN)
    figures = [f"content {time.process_time() - began:.2f} s"]
    sizes = {}
    for form, renderer in renderers().items():
        began = time.process_time()
        sizes[form] = len(renderer.render(told))
        took = time.process_time() - began
        figures.append(f"{form} {took:.2f} s {sizes[form] / 1000:.0f} kB")
    with capsys.disabled():
        print(f"\nreport of {HOURS} h at 1 s, {FAULTS} faults, {len(kept) / 1e6:.1f} MB kept, "
              f"processor time: {', '.join(figures)}")
    assert max(map(max, (c.points for c in told.charts)))[1] > 0
    assert max(sizes.values()) < 1_000_000
    assert all(len(chart.points) <= 2 * 682 for chart in told.charts)
