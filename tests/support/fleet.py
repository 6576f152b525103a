"""Many guards in a process of their own, as a triggerer has them: each the trigger's real `run`.

`python -m support.fleet FILE`, with the work as JSON in the file; what was seen is written to
`report` once a second, and a last time when every guard has ended.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


class Fleet:
    """One such process, and its work."""

    def __init__(
        self, home: Path, name: str, leases: Mapping[str, Mapping[str, Any]], store: str = ""
    ) -> None:
        self.report, self._file = home / f"{name}.report", home / f"{name}.work"
        self._file.write_text(json.dumps({
            "where": {"home": str(home), "store": store}, "report": str(self.report),
            "watches": list(leases.values()),
        }))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "support.fleet", str(self._file)], stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{TESTS.parent / 'include'}:{TESTS}"},
        )

    def seen(self) -> dict[str, Any]:
        """The latest report; empty before the first."""
        found: dict[str, Any] = json.loads(self.report.read_text()) if self.report.exists() else {}
        return found

    def kill(self) -> None:
        """SIGKILL, as when a machine's memory runs out."""
        self.process.kill()
        self.process.wait()


@contextmanager
def prometheus(home: Path, seconds: float = 0.0) -> Iterator[None]:
    """Answer every query with one number, in a process of its own, named in the connections."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.fleet", "serve", str(seconds)], stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS)}, text=True,
    )
    try:
        port = int(process.stdout.readline())
        file = home / "connections.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"prometheus_default": {"host": "127.0.0.1", "port": port}}))
        yield
    finally:
        process.kill()
        process.wait()


class _Seen:
    """What is measured while the guards run."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.batches: list[int] = []
        self.events: list[Mapping[str, str]] = []
        self.began = time.monotonic()

    async def sleep(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self.late.append(time.monotonic() - due)

    def told(self) -> dict[str, object]:
        used, late = resource.getrusage(resource.RUSAGE_SELF), sorted(self.late)
        return {
            "polls": len(late), "seconds": time.monotonic() - self.began,
            "cpu_seconds": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024,
            "late_p50_ms": median(late) * 1e3 if late else 0.0,
            "late_p99_ms": late[ceil(len(late) * 0.99) - 1] * 1e3 if late else 0.0,
            "late_max_ms": late[-1] * 1e3 if late else 0.0,
            "batches": len(self.batches), "renewals": sum(self.batches), "events": self.events,
        }


async def _guard(
    where: Mapping[str, str], watches: Sequence[Mapping[str, Any]], report: Path
) -> None:
    from holdfast.provider.triggers import guard
    from holdfast.stores.live import SqliteLeases
    from holdfast.stores.shared import SharedLeases

    kind = SharedLeases if where["store"] else SqliteLeases
    seen, renew = _Seen(), kind.renew

    def counted(store: Any, renewals: Sequence[Any]) -> Any:
        seen.batches.append(len(renewals))
        return renew(store, renewals)

    async def one(watch: Mapping[str, Any]) -> None:
        trigger = guard.GuardTrigger(
            **where, prometheus="prometheus_default", watch=dict(watch))
        async for event in trigger.run():
            seen.events.append(event.payload)

    kind.renew = counted  # type: ignore[method-assign]
    guard.stand_guard = partial(guard.stand_guard, sleep=seen.sleep)  # type: ignore[assignment]
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = {"startup_cpu_seconds": before.ru_utime + before.ru_stime}
    work = asyncio.gather(*map(one, watches))
    while not work.done():
        await asyncio.wait([work], timeout=1.0)
        fresh = report.with_suffix(".new")
        fresh.write_text(json.dumps(seen.told() | started))
        fresh.replace(report)
    await work


async def _serve(seconds: float) -> None:
    from aiohttp import web

    body = ('{"status":"success","data":{"resultType":"vector",'
            '"result":[{"metric":{},"value":[1700000000,"0.001"]}]}}')

    async def answer(_: object) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v1/query", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main(words: Sequence[str]) -> None:
    """Guard, or be a Prometheus."""
    if words[0] == "serve":
        asyncio.run(_serve(float(words[1])))
        return
    from support.airflow import own_home

    own_home()
    work = json.loads(Path(words[0]).read_text())
    asyncio.run(_guard(work["where"], work["watches"], Path(work["report"])))


if __name__ == "__main__":
    main(sys.argv[1:])
