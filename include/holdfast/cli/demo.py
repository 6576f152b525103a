"""demo: a guided tour in four acts, every one of them real."""

import asyncio
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli import lab
from holdfast.cli.border import border, out, settings
from holdfast.cli.promise import promise
from holdfast.cli.run import run_suite
from holdfast.cli.watch import look
from holdfast.errors import HoldfastError
from holdfast.model.run import Run
from holdfast.ports.bundle import Ports
from holdfast.settings import Settings
from holdfast.spec.load import load_suite
from holdfast.steps.book import findings
from holdfast.steps.evidence import check_run, own_trust

demo_app = typer.Typer()
_CORE, _LAG = "shop-core.suite.yaml", "shop-lag.suite.yaml"
_SINGLE = "primary-failover"
_LOOK_SECONDS = 6.0


@demo_app.command()
def demo(
    pause: Annotated[bool, typer.Option(help="wait for Enter between the acts")] = True,
    keep: Annotated[bool, typer.Option(help="leave the shop and Airflow up afterwards")] = False,
) -> None:
    """See a baseline, one failure, many failures, and what the promise is worth; all for real."""
    with border():
        where = settings()
        try:
            well = Tour(where, pause=pause and sys.stdin.isatty()).go()
        finally:
            if not keep:
                _say("stopping everything")
                lab.stop(where)
        if not well:
            raise typer.Exit(1)


class Tour:
    """The acts in order; each says whether what it promised was seen."""

    def __init__(self, where: Settings, *, pause: bool) -> None:
        self._where, self._pause = where, pause
        self._core, self._lag = where.experiments / _CORE, where.experiments / _LAG

    def go(self) -> bool:
        """Play every act, also after one that failed, and tell which did."""
        acts = (self._baseline, self._one, self._many, self._worth)
        failed = []
        for number, act in enumerate(acts, start=1):
            _say(f"act {number} of {len(acts)}: {act.__doc__}")
            try:
                well = act()
            except HoldfastError as error:
                if number == 1:
                    raise  # nothing is up to go on with
                _tell(str(error), well=False)
                well = False
            if not well:
                failed.append(number)
            if self._pause and number < len(acts):
                typer.prompt("Enter goes on", default="", show_default=False)
        if failed:
            _tell(f"BROKEN: not as promised in act {', '.join(map(str, failed))}", well=False)
        return not failed

    def _baseline(self) -> bool:
        """The baseline: what a guard sees while nothing is wrong."""
        lab.start(self._where)
        suite = load_suite(self._core).suite
        seen = asyncio.run(look(suite, _LOOK_SECONDS))
        margin = min((r.margin for r in seen if r.margin is not None), default=None)
        if margin is None or any(r.ended for r in seen):
            _tell("the shop is not steady", well=False)
            return False
        _tell(f"steady; a fault would keep {margin:.2f} s of its lease as margin", well=True)
        return True

    def _one(self) -> bool:
        """One failure: the database's primary is killed while customers order."""
        return run_suite(self._core, only=[_SINGLE]) == 0

    def _many(self) -> bool:
        """Many failures: Airflow runs all of shop-core."""
        return run_suite(self._core) == 0

    def _worth(self) -> bool:
        """What it is worth: all of Airflow dies, a byte of evidence changes, orders are lost."""
        kept = promise(wiring.ports(self._where), self._core)
        return self._byte() and self._orders() and kept

    def _byte(self) -> bool:
        ports = wiring.ports(self._where)
        run = self._latest(ports, self._core)
        if check_run(ports, run.id).troubles:
            _tell(f"the evidence of {run.id} cannot be trusted as it is", well=False)
            return False
        with tempfile.TemporaryDirectory() as folder:
            troubles = _with_a_flipped_byte(self._where, Path(folder), run.id)
        for trouble in troubles[:2]:
            out.print(f"  {trouble}", markup=False)
        found = bool(troubles)
        _tell(f"one byte of the evidence of {run.id}, changed in a copy, is "
              f"{'found' if found else 'NOT found'}", well=found)
        return found

    def _orders(self) -> bool:
        """The suite that must end BROKEN, naming what was lost."""
        run_suite(self._lag)
        ports = wiring.ports(self._where)
        run = self._latest(ports, self._lag)
        lost = [f for f in findings(ports, run.id) if f.name == "lost_writes"]
        named = bool(lost and lost[0].measured.get("lost"))
        for finding in lost:
            out.print(f"  {finding.text}", markup=False)
        _tell("acknowledged orders were lost, and they are named" if named
              else "no lost order was named", well=named)
        return named

    @staticmethod
    def _latest(ports: Ports, suite: Path) -> Run:
        name = suite.name.removesuffix(".suite.yaml")
        for run in ports.books.runs():
            if run.suite == name and run.verdict is not None:
                return run
        raise HoldfastError(f"no run of {name} has ended with a verdict; see above")


def _with_a_flipped_byte(where: Settings, folder: Path, run_id: str) -> list[str]:
    """Copy the evidence, change one byte of the run's last record there, and verify the copy."""
    copy = Settings(folder / "home", where.experiments)
    copy.home.mkdir()
    with closing(sqlite3.connect(where.books)) as books, closing(sqlite3.connect(copy.books)) as to:
        books.backup(to)
        # The table refuses changes; whoever means harm takes that away first.
        guards = to.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in guards:
            to.execute(f'DROP TRIGGER "{name}"')
        place = "SELECT number, envelope FROM record WHERE run_id = ? ORDER BY number DESC"
        number, envelope = to.execute(place, [run_id]).fetchone()
        changed = bytearray(envelope)
        changed[len(changed) // 2] ^= 1
        to.execute("UPDATE record SET envelope = ? WHERE number = ?", [bytes(changed), number])
        to.commit()
    shutil.copytree(where.keys, copy.keys)
    ports = wiring.ports(where)
    records = wiring.ports(copy).notary.records()
    digest = hashlib.sha256(bytes(changed)).hexdigest()[:12]
    out.print(f"  record {number}: byte {len(changed) // 2} changed, now sha256:{digest}...")
    return [str(t) for t in check_run(ports, run_id, own_trust(ports), records).troubles]


def _tell(text: str, *, well: bool) -> None:
    out.print(f"  {text}", style="bold green" if well else "bold red", markup=False)


def _say(text: str) -> None:
    out.print(f"\n{text}", style="bold", markup=False)
