"""A fault with a real effect, a log of its calls, and a switch for everything that can go wrong."""

import json
import os
import signal
import time
from pathlib import Path
from typing import ClassVar

from holdfast.errors import FaultError
from holdfast.model.fault import Effect, Fault, Recipe, Target


class ProbeDriver:
    """Stops one process with SIGSTOP. Its state is seen in /proc; `revert` sends SIGCONT."""

    effect = Effect.HELD
    params: ClassVar = {}

    def targets(self, fault):
        return (Target(f"process {fault.selector['process']}", fault.service, 1.0),)

    def arm(self, fault: Fault, lease_id: str) -> Recipe:
        return Recipe(lease_id, "probe", {
            "pid": int(fault.selector["process"]), "calls": f"{fault.home}/calls.jsonl",
            **fault.params,
        })

    def inject(self, recipe: Recipe) -> None:
        self._log(recipe, "inject")
        time.sleep(float(recipe.undo.get("before", 0)))
        if recipe.undo.get("refuse"):
            raise FaultError("it refuses", target="probe")
        os.kill(recipe.undo["pid"], signal.SIGSTOP)
        self._log(recipe, "injected")
        time.sleep(float(recipe.undo.get("after", 0)))

    def revert(self, recipe: Recipe) -> None:
        self._log(recipe, "revert")
        time.sleep(float(recipe.undo.get("revert", 0)))
        os.kill(recipe.undo["pid"], signal.SIGCONT)
        self._log(recipe, "reverted")

    def residue(self, recipe: Recipe):
        stat = Path(f"/proc/{recipe.undo['pid']}/stat").read_text().rpartition(")")[2]
        return ("the process is stopped",) if stat.split()[0] == "T" else ()

    def _log(self, recipe, call):
        line = {"call": call, "at": time.clock_gettime(time.CLOCK_BOOTTIME), "pid": os.getpid()}
        with Path(recipe.undo["calls"]).open("a") as log:
            log.write(json.dumps(line | {"lease": recipe.lease_id}) + "\n")


DRIVER = ProbeDriver()
