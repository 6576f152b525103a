"""Runs whose plan must be approved, with a real evidence log."""

from pathlib import Path
from typing import Any

from holdfast.model.fault import Effect
from holdfast.ports.bundle import Ports
from holdfast.steps.approval import Given, answer, ask
from holdfast.steps.book import plan_of
from holdfast.stores.notary import LocalNotary
from support import suites
from support.ports import FakeClock, FakeDriver
from support.runs import RUN, planned

LAST = "blast_radius: {instances: 100%}"
ALWAYS = "{from_impact: 0, wait: 10m, valid_for: 20m}"


def needs_approval(home: Path, approval: str = ALWAYS, **parts: Any) -> Ports:
    """A run that `sre` has triggered, planned."""
    clock = FakeClock()
    notary = LocalNotary(home / "books.db", home / "keys", clock)
    return planned(
        home, (LAST, f"{LAST}\napproval: {approval}"), request={"triggered_by": "sre"},
        **({"clock": clock, "notary": notary} | parts),
    )


def irreversible() -> dict[str, Any]:
    """Drivers of which one cannot undo what it does: that of `second`."""
    return suites.drivers() | {"kill": FakeDriver(effect=Effect.IRREVERSIBLE, address="process")}


def digest(ports: Ports) -> str:
    """What is to be approved."""
    return str(plan_of(ports, RUN)["digest"])


def yes(ports: Ports, by: str = "lead", **changes: Any) -> None:
    """Let a person approve the plan that they were asked about."""
    ask(ports, RUN)
    answer(ports, RUN, Given(**({"yes": True, "by": by, "plan": digest(ports)} | changes)))
