"""A small valid suite to change, and what stands for an installation in tests."""

from pathlib import Path
from typing import Any

from holdfast.checkers.list_append import CHECKER as LIST_APPEND
from holdfast.checkers.lost_writes import CHECKER as LOST_WRITES
from holdfast.controls.frameworks.catalogue import CONTROLS
from holdfast.model.fault import Effect, Setting
from holdfast.model.suite import Suite
from holdfast.ports.mechanisms import Indicator, Need
from holdfast.spec.load import load_text
from holdfast.spec.rules import Known
from holdfast.workloads.list_append import ListAppend
from support.mechanisms import FakeMechanism
from support.ports import FakeDriver

ERRORS = "errors:ratio"
LATENCY = "latency:p95"

TEXT = f"""\
apiVersion: holdfast/v1
kind: Suite
metadata: {{name: checkout, owner: platform-team}}
target:
  environment: staging
  services:
    api: {{process: "shop/run/api-1.pid"}}
    link: {{proxy: shop_proxy}}
  histories:
    orders: {{file: shop/history/orders.jsonl, postgres: shop_db, query: SELECT key FROM orders}}
objectives:
  - {{name: errors, indicator: {{prometheus: "{ERRORS}"}}, objective: "< 1%"}}
  - {{name: latency, indicator: {{prometheus: "{LATENCY}"}}, objective: "< 500ms"}}
baseline: {{window: 4s}}
rounds:
  - experiments:
      - name: first
        hypothesis: The other process takes over.
        fault: {{type: hang, target: api, duration: 7s}}
        stop_on: {{errors: "> 60% for 4s"}}
        expect: {{recovery_within: 15s, recovery_point: 0, checks: [app_recovered]}}
      - name: beside
        hypothesis: Orders stay within the objective.
        fault: {{type: latency, target: link, duration: 6s, delay: 2s, params: {{latency: 100ms}}}}
  - experiments:
      - name: second
        hypothesis: It also holds a second time.
        fault: {{type: kill, target: api, duration: 8s}}
        expect: {{recovery_within: 30s}}
consistency:
  - {{checker: lost_writes, history: orders}}
compliance: {{controls: ["dora:art-24.4"]}}
blast_radius: {{instances: 100%}}
"""


def drivers() -> dict[str, Any]:
    """One driver of each sort."""
    return {
        "hang": FakeDriver(address="process"),
        "kill": FakeDriver(effect=Effect.ONE_SHOT, address="process"),
        "latency": FakeDriver(address="proxy", params={
            "latency": Setting("duration", 0.2, "added", low=0.01, high=60.0),
            "share": Setting("ratio", 1.0, "of the connections"),
            "count": Setting("integer", 3, "how many", low=1),
            "loud": Setting("flag", False, "whether"),
            "note": Setting("text", None, "anything"),
        }),
    }


def mechanisms() -> dict[str, Any]:
    """One judge that reads a history, and one with indicators."""
    return {
        "breaker": FakeMechanism(
            indicators={"state": Indicator("0 closed, 2 open"),
                        "opened": Indicator("times", counter=True, need=Need.NEVER)},
            params={"open_for": Setting("duration", 1.0, "at least", low=0.0)},
        ),
        "goes_on": FakeMechanism(
            indicators={"answered": Indicator("share", need=Need.WITHOUT_HISTORY)},
            params={"must": Setting("text", None, "which")},
            reads_history=True,
        ),
        "functions": FakeMechanism(others="share by function", reads_history=True),
    }


def known(**changes: Any) -> Known:
    """An installation that stays the same whatever else is built."""
    parts: dict[str, Any] = {
        "drivers": drivers(),
        "probes": ("app_recovered", "standby_promoted"),
        "checkers": {"lost_writes": LOST_WRITES, "list_append": LIST_APPEND},
        "mechanisms": mechanisms(),
        "controls": {control.name for control in CONTROLS},
        "workloads": {"list_append": ListAppend},
    }
    return Known(**(parts | changes))


def text(*changes: tuple[str, str]) -> str:
    """The suite with parts of its text replaced, each once."""
    written = TEXT
    for old, new in changes:
        if old not in written:
            raise ValueError(f"the suite has no {old!r}")
        written = written.replace(old, new, 1)
    return written


def suite(*changes: tuple[str, str]) -> Suite:
    """The suite, checked."""
    return load_text(text(*changes), "checkout.suite.yaml", known()).suite


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The suite as a file."""
    file = folder / "checkout.suite.yaml"
    file.write_text(text(*changes))
    return file
