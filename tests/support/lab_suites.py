"""Suites of the lab's own: one fault each, objectives that it does not touch.

Two lanes, each with an environment of its own: one may begin while the other still ends. A `held`
fault waits to be ended by somebody; a `brief` one is there to run its time.
"""

from collections.abc import Iterator

LEASE_SECONDS = 5.0
BRIEF_SECONDS = 9.0
HELD_SECONDS = 90.0
LANES = 2

_FAULTS = (
    "type: network.latency, target: link, params: {latency: 60ms}",
    "type: process.hang, target: api",
)
_TEXT = """\
apiVersion: holdfast/v1
kind: Suite
metadata: {name: NAME, owner: platform-team, description: "A fault to be held meanwhile."}
target:
  environment: ENVIRONMENT
  services:
    api: {process: "shop/run/api-1.pid"}
    link: {proxy: shop_proxy}
objectives:
  - name: availability
    indicator:
      prometheus: >-
        sum(rate(shop_load_operations_total{outcome="ok"}[5s]))
        / sum(rate(shop_load_operations_total[5s]))
    objective: ">= 20%"
guard: {poll: 500ms, lease: 5s, on_no_data: abort, grace: 3s}
baseline: {window: 2s}
blast_radius: {instances: 100%}
rounds:
  - experiments:
      - name: watched
        hypothesis: It is gone when nobody watches.
        fault: {FAULT, duration: DURATION}
"""


POOR = "poor"
"""The suite whose budget runs out while its fault is on: 95 s at 8 requests a second are paid for,
and the load sends 50."""
_BUDGET = """\
        blast_radius: {traffic: 100%}
traffic: {requests: shop_load_requests_total, hit: shop_load_hit_total}
budget: {most_requests_per_second: 8}
"""


ASKED = "asked"
"""The suite whose plan another person must approve, whatever its impact."""
_APPROVAL = "approval: {from_impact: 0, by: [approver, admin, sre], wait: 20m}\n"


SEEN = "seen"
"""The suite whose fault must not begin before enough witnesses have signed its start."""
_COSIGNED = "compliance: {controls: ['dora:art-25.1'], cosigned: true}\n"


PATIENT = "patient"
"""The suite whose records may wait for a log that is down."""
_BUFFERED = "compliance: {controls: ['dora:art-25.1'], log_down: buffer}\n"


DELAY_SECONDS = 8.0
STAGED = {
    "late-link": "type: network.latency, target: link, delay: 8s, params: {latency: 60ms}",
    "late-api": "type: process.kill, target: api, delay: 8s",
    "back-kill": "type: process.kill, target: api",
    "back-loop": "type: process.crash_loop, target: api",
}
"""Suites whose fault stays long enough where it is to be met: armed before it begins, or
reverting until the shop's supervisor has started the process again."""
_STAGED_SECONDS = {"late": 6.0, "back": 1.0}


def held(lane: int) -> str:
    """The suite of a lane whose fault lasts longer than any test."""
    return f"held-{lane}"


def brief(lane: int) -> str:
    """The suite of a lane whose fault ends by itself."""
    return f"brief-{lane}"


def environment(suite: str) -> str:
    """Where a suite's faults are."""
    return f"lane-{suite[-1]}"


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of each."""
    yield POOR, _filled(POOR, "purse", 60.0, _FAULTS[0]) + _BUDGET
    yield ASKED, _filled(ASKED, "gate", HELD_SECONDS, _FAULTS[0]) + _APPROVAL
    yield PATIENT, _filled(PATIENT, "unlogged", BRIEF_SECONDS, _FAULTS[0]) + _BUFFERED
    yield SEEN, _filled(SEEN, "witnessed", BRIEF_SECONDS, _FAULTS[0]) + _COSIGNED
    for name, fault in STAGED.items():
        yield name, _filled(name, f"stage-{name}", _STAGED_SECONDS[name[:4]], fault)
    for lane in range(LANES):
        for name, seconds in ((held(lane), HELD_SECONDS), (brief(lane), BRIEF_SECONDS)):
            yield name, _filled(name, environment(name), seconds, _FAULTS[lane])


def _filled(name: str, environment: str, seconds: float, fault: str) -> str:
    words = {"NAME": name, "ENVIRONMENT": environment, "FAULT": fault, "DURATION": f"{seconds:g}s"}
    text = _TEXT
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text
