"""What a fault's own processes do: `python -m ... LEASE PARENT SECONDS KIND ARGUMENTS...`.

Each ends with the thread that started it, and by itself after so many seconds.
"""

import ctypes
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from holdfast.errors import HoldfastError
from holdfast.faults.process import _kill, _memory

_PR_SET_PDEATHSIG = 1
_STEP = 16 * 1024 * 1024


def _bind(parent: int, seconds: int) -> None:
    """End with the parent, or when the time is over, whatever this process does then."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be bound to it
        sys.exit("its parent is gone")
    signal.alarm(seconds)  # its default action is the end


def _say_on() -> None:
    print("on", flush=True)


def _crash(notes: str, *files: str) -> NoReturn:
    """Kill whoever the pid files name, now and whenever somebody is there again."""
    said = False
    while True:
        for file in files:
            _kill.kill_named(Path(file), Path(notes))
        if not said:
            _say_on()
            said = True
        time.sleep(0.1)


def _cpu() -> NoReturn:
    """Keep one core busy, behind everybody else."""
    os.setpriority(os.PRIO_PROCESS, 0, 19)  # also below a keeper that was given more
    _say_on()
    while True:
        pass


def _memory_held(wanted: str, floor: str) -> NoReturn:
    """Hold so many bytes, fewer while less than the floor is left for others."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # the kernel ends this one first
    held: list[mmap.mmap] = []
    said = False
    while True:
        room = _memory.available() - int(floor)
        if room < 0 and held:
            held.pop().close()
        elif room > _STEP and len(held) * _STEP < int(wanted):
            held.append(_touched())
            continue
        if not said:
            _say_on()
            said = True
        time.sleep(0.05)


def _touched() -> mmap.mmap:
    """Memory that is really there, not only promised."""
    block = mmap.mmap(-1, _STEP)
    for page in range(0, _STEP, mmap.PAGESIZE):
        block[page] = 1
    return block


_KINDS: Mapping[str, Callable[..., NoReturn]] = {
    "crash": _crash, "cpu": _cpu, "memory": _memory_held,
}


def main(_lease: str, parent: str, seconds: str, kind: str, *arguments: str) -> None:
    """Do the work until killed; what forbids it is said on the way out."""
    _bind(int(parent), int(seconds))
    try:
        _KINDS[kind](*arguments)
    except (HoldfastError, OSError) as error:
        print(error, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
