"""Run one PostgreSQL node in the role the cluster file gives it.

`python -m shop.postgres.node HOME NODE`. The node never makes itself a primary after a death: it
waits for the controller's decision, and starts again as it was only when none comes.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from enum import Enum
from pathlib import Path
from types import FrameType

import psycopg

from shop import processes
from shop.postgres import build, rights, small_disk
from shop.postgres.cluster import Cluster
from shop.postgres.configuration import is_complete, is_standby
from shop.settled import Settled

UNDECIDED_SECONDS = 5.0  # what a dead primary waits for the controller
_POLL_SECONDS = 0.1
_AGAIN_SECONDS = 0.5  # after an attempt that failed
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


class Step(Enum):
    """What a node does next."""

    NOTHING = "nothing"
    CREATE = "create"
    START = "start"
    JOIN = "join"
    FENCE = "fence"


def next_step(*, alive: bool, chosen: bool, standby: bool, complete: bool, dead_for: float) -> Step:
    """Decide from what is there.

    :param chosen: the cluster file names this node the primary
    :param standby: its data are a standby's
    :param complete: there are data
    """
    if alive:
        return Step.FENCE if not chosen and not standby else Step.NOTHING
    if not chosen:
        return Step.START if complete and standby else Step.JOIN
    if not complete:
        return Step.CREATE
    return Step.START if standby or dead_for >= UNDECIDED_SECONDS else Step.NOTHING


class Node:
    """One node and the postmaster it has now."""

    def __init__(self, shop: Settled, node: str) -> None:
        self._shop, self._node = shop, node
        self._name = f"postgres-{node}"
        self._folder = shop.places.data(node)
        self._joining = shop.places.run / f"{node}.joining"
        self._child: subprocess.Popen[bytes] | None = None
        self._seen_alive = float("-inf")
        self._stopping = False

    def run(self) -> None:
        """Keep the node in its role until SIGTERM, then stop it."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        # Backends that outlive their postmaster become children of this process and are reaped.
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        while not self._stopping:
            try:
                self._tend()
            except (psycopg.Error, subprocess.SubprocessError, OSError) as error:
                _say(f"{type(error).__name__}: {error}")
                time.sleep(_AGAIN_SECONDS)
            time.sleep(_POLL_SECONDS)
        self._halt()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _tend(self) -> None:
        alive = self._is_alive()
        now = time.monotonic()
        if alive:
            self._seen_alive = now
        step = next_step(
            alive=alive,
            chosen=Cluster.read(self._shop.places).primary == self._node,
            standby=is_standby(self._folder),
            complete=is_complete(self._folder),
            dead_for=now - self._seen_alive,
        )
        self._do(step)

    def _do(self, step: Step) -> None:
        if step is Step.CREATE:
            build.create(self._shop, self._node)
            self._start()
            self._fill()
        elif step is Step.JOIN:
            self._join()
            self._start()
        elif step is Step.START:
            self._start()
        elif step is Step.FENCE:
            self._kill()

    def _is_alive(self) -> bool:
        if self._child is not None:
            alive = self._child.poll() is None
            self._child = self._child if alive else None
            return alive
        adopted = processes.recorded(self._shop.places.run, self._name)
        return adopted is not None and adopted.is_alive()

    def _start(self) -> None:
        self._kill()
        log = self._shop.places.logs / f"{self._name}.log"
        with log.open("ab") as stream:
            self._child = subprocess.Popen(
                rights.command("postgres", "-D", str(self._folder)),
                env=rights.environment(),
                cwd=os.sep,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        processes.record(self._shop.places.run, self._name, self._child.pid)
        self._seen_alive = time.monotonic()
        _say(f"started {self._child.pid} as {'standby' if is_standby(self._folder) else 'primary'}")

    def _fill(self) -> None:
        end = time.monotonic() + 10
        while True:
            try:
                return build.fill(self._shop, self._node)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _join(self) -> None:
        """Follow the primary: by winding back where that can work, else by a full copy."""
        build.require_primary(self._shop, self._node)
        began = time.monotonic()
        whole = is_complete(self._folder) and not self._joining.exists()
        self._kill()
        self._joining.touch()
        try:
            if not whole:
                raise subprocess.SubprocessError("no whole data to wind back")
            build.rewind(self._shop, self._node)
            way = "rewound"
        except subprocess.SubprocessError as error:
            _say(f"copies the primary: {error}")
            build.copy(self._shop, self._node)
            way = "copied"
        self._joining.unlink()
        _say(f"{way} in {time.monotonic() - began:.2f} s")

    def _kill(self) -> None:
        """End every process of this node, also what a dead postmaster left behind."""
        members = processes.inside(self._folder)
        processes.send(members, signal.SIGKILL)
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
        processes.wait_gone(members, 5.0)
        _reap()

    def _halt(self) -> None:
        postmaster = processes.recorded(self._shop.places.run, self._name)
        if postmaster is not None and postmaster.is_alive():
            processes.send([postmaster], signal.SIGINT)  # fast: ends sessions, writes a checkpoint
            processes.send(processes.inside(self._folder), signal.SIGCONT)
            processes.wait_for(lambda: not self._is_alive(), 2.5)
        self._kill()
        processes.forget(self._shop.places.run, self._name)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    _shop = Settled.read(Path(sys.argv[1]))
    small_disk.enter(_shop.places, sys.argv[2])
    Node(_shop, sys.argv[2]).run()
