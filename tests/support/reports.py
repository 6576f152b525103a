"""A report as a real run would give it."""

import math
import random
from dataclasses import replace

from holdfast.model.verdict import Verdict
from holdfast.reports._content import Chart, Check, File, Guarded, Proof, Report, Trial, Window

START = 1_790_000_000.0
_WINDOWS = (
    Window("api-hangs", START + 22, START + 30), Window("slow-database", START + 52, START + 60),
    Window("primary-failover", START + 84, START + 92),
    Window("replica-lags", START + 118, START + 126),
)


def _latency(seed: int) -> list[tuple[float, float]]:
    chance = random.Random(seed)
    points = []
    for second in range(150):
        bump = 240 * math.exp(-((second - 57) / 5) ** 2) + 420 * math.exp(-((second - 88) / 3) ** 2)
        if not 70 <= second < 74:
            points.append((START + second, 22 + chance.random() * 9 + bump))
    return points


def _errors(scale: float, offset: float, sign: int) -> list[tuple[float, float]]:
    return [
        (START + s, offset + sign * scale * math.exp(-((s - 88) / 3) ** 2)) for s in range(150)
    ]


def held() -> Report:
    """Four experiments that all held."""
    trials = (
        _trial("api-hangs", "One hung API process is taken out of rotation.",
               "process.hang on api, 8 s", 640, 8410, 410, (12, 4, 9)),
        _trial("slow-database", "Orders stay fast enough with a slow database.",
               "network.latency on database-link, 8 s, latency 0.2", None, 0, 0, (0, 0, 0)),
        _trial("primary-failover", "Orders go on after the primary dies; none is lost.",
               "postgres.kill_primary on database, 8 s", 41, 3120, 0, (131, 18, 20)),
        _trial("replica-lags", "A standby that lags does no harm.",
               "postgres.pause_replay on database, 8 s", None, 0, 0, (0, 0, 0)),
    )
    return Report(
        run_id="shop-core--manual__2026-11-21T02_00_00_00_00", suite="shop-core",
        description="The demo shop under its four faults.", owner="platform-team",
        verdict=Verdict.HELD, headline="4 of 4 experiments held; no acknowledged write was lost.",
        triggered_by="ana", environment="shop-demo", started_at="2026-11-21T02:00:00.000+00:00",
        ended_at="2026-11-21T02:02:30.000+00:00", duration_ms=150_000, trials=trials,
        guarded=tuple(Guarded(t.name, "went on to the end", "", 16, 5000, 640, 4360,
                              clean_after_ms=210) for t in trials),
        charts=(
            Chart("latency-p95", "< 500ms", 500, "ms", START, START + 150, 1, _latency(1),
                  _WINDOWS),
            Chart("errors", "< 1%", 1, "%", START, START + 150, 1, _errors(48, 0, 1), _WINDOWS),
            Chart("availability", ">= 99%", 99, "%", START, START + 150, 1,
                  _errors(48, 100, -1), _WINDOWS),
        ),
        checks=(Check("lost_writes", Verdict.HELD,
                      "orders: all 5123 acknowledged writes are there"),),
        proof=Proof("ab12" * 16, ((0, "plan", "2026-11-21T02:00:01"),
                                  (1, "run-start", "2026-11-21T02:00:02"),
                                  (2, "result", "2026-11-21T02:02:25")),
                    tuple(File(n, "sha256:" + "5e" * 32, 48213) for n in
                          ("book.json", "history-orders.jsonl", "samples.json"))),
        facts=(("Holdfast", "0.1.0"), ("Machine", "Linux 6.1, x86_64, Python 3.11.2"),
               ("Plan", "sha256:" + "7f" * 32), ("api", "process shop/run/api-1.pid"),
               ("database", "postgres shop_db")),
        repeat=("holdfast run shop-core",),
        controls=("dora:art-24.4", "nist-800-53r5:cp-4.5", "soc2-tsc-2017:a1.3"),
    )


def aborted() -> Report:
    """One experiment that the guard ended, and text that tries to be markup."""
    ended = "the guard stopped the fault: latency-p95 was 1870ms, objective < 500ms"
    trial = replace(
        _trial("slow <script>alert(1)</script>", "Latency stays below the objective.",
               "network.latency on database-link, 20 s, latency 2", 880, 6900, 4100, (3, 0, 190)),
        verdict=Verdict.BROKEN, how_it_ended=ended,
        checks=(Check("fault", Verdict.BROKEN, ended),
                Check("recovery", Verdict.HELD, "recovered 4.1 s after the revert, 15 s allowed")),
    )
    return replace(
        held(), suite="shop-abort", verdict=Verdict.BROKEN, trials=(trial,),
        headline="slow-database: " + ended,
        guarded=(Guarded("slow-database", "aborted: breach", "latency-p95 was 1870ms", 5, 5000,
                         610, 4390, 38, 122, 160, 95),),
        checks=(Check("lost_writes", Verdict.BROKEN,
                      "orders: 14 of 902 acknowledged writes are lost: " + ", ".join(
                          f"{n:08x}-aaaa-4bbb-8ccc-0123456789ab" for n in range(14))),),
        left_out=("primary-failover",),
    )


def _trial(name: str, hypothesis: str, fault: str, *figures: object) -> Trial:
    detected, from_fault, from_revert, (failed, unsure, slow) = figures  # type: ignore[misc]
    return Trial(
        name, hypothesis, fault, Verdict.HELD, "the fault ran its 8 s under guard",
        (Check("fault", Verdict.HELD, "the fault ran its 8 s under guard"),
         Check("recovery", Verdict.HELD, f"recovered {from_revert / 1000} s after the revert")),
        8010, detected, from_fault, from_revert, 403, failed, unsure, slow,
    )
