"""`python -m holdfast.workloads`: one workload of a run, whatever becomes of who asked for it."""

import argparse
import math
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from holdfast.clients.connections import connection
from holdfast.clients.host import boot_id, start_time
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError
from holdfast.model.workload import WorkloadSpec
from holdfast.ports.workloads import Ended
from holdfast.workloads._pace import Pace
from holdfast.workloads._run import Asked, run

_READY = b"ready"
_AFTER_SECONDS = 150
"""How long after its time it may read back and drop what it made; then the kernel ends it."""


def main(arguments: Sequence[str]) -> int:
    """Leave the caller behind, then send; the caller ends when sending has begun, or cannot."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.workloads", description=__doc__)
    parser.add_argument("--connections", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where all of it goes")
    parser.add_argument("--seconds", type=float, required=True, help="how long at most")
    parser.add_argument("spec", help="the workload as the suite has it, JSON")
    given = parser.parse_args(arguments)
    spec = WorkloadSpec.model_validate_json(given.spec)
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        with os.fdopen(ours, "rb") as told:
            os._exit(0 if told.read() == _READY else 1)
    os.close(ours)
    return _send(spec, given.connections, given.folder, given.seconds, theirs)


def _send(
    spec: WorkloadSpec, connections: Path, folder: Path, seconds: float, caller: int
) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.alarm(math.ceil(seconds) + _AFTER_SECONDS)
    identity = f"{os.getpid()} {start_time(os.getpid())} {boot_id()}\n"
    (folder / f"{spec.name}.pid").write_text(identity)
    pace = Pace(spec.rate, spec.clients, seconds, spec.isolation.value, spec.pause.total_seconds())
    asked = Asked(spec.kind, spec.seed, pace, folder / f"{spec.name}.jsonl")
    try:
        entry = connection(connections, spec.connection)
        ended = run(asked, entry, stop, SystemClock(), partial(_tell, caller))
    except (HoldfastError, OSError) as error:
        _write(folder / f"{spec.name}.ended.json", Ended(error=str(error)))
        print(error, file=sys.stderr, flush=True)
        return 1
    _write(folder / f"{spec.name}.ended.json", ended)
    return 0


def _tell(caller: int) -> None:
    try:
        os.write(caller, _READY)
    except BrokenPipeError:  # it was killed meanwhile; whoever looks after the run stops us
        print("nobody waits for the beginning", file=sys.stderr, flush=True)
    os.close(caller)


def _write(file: Path, ended: Ended) -> None:
    """Whole or not at all."""
    fresh = file.with_name(f".{file.name}")
    fresh.write_bytes(msgspec.json.encode(ended))
    fresh.replace(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
