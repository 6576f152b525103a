"""The parts of the resilience score: each measured figure held against its target.

The targets are those of the requirement for the score: availability 99.99 %, repair below 15
minutes, 720 hours between failures, 95 % of experiments held, 90 % recovered without help. A part
on its target is worth 1; how it falls off below is said at each function.
"""

from collections.abc import Sequence
from math import log10

from holdfast.model.score import Seen, Tried
from holdfast.model.verdict import Verdict

NINES = 4.0
REPAIR_SECONDS = 15 * 60.0
BETWEEN_HOURS = 720.0
SUCCESS = 0.95
ALONE = 0.90
LEAST_QUIET_HOURS = 24.0
"""With less than a day without runs nothing can be said about failures that come by themselves."""

Judged = tuple[float | None, str, Sequence[Tried]]
"""A value from 0 to 1 or None, its sentence, and the faults behind it."""


def availability(seen: Seen) -> Judged:
    """Count nines, four being the target: each ten times more bad requests cost a quarter."""
    if seen.available is None:
        return None, _no_data(seen), ()
    bad = 1.0 - seen.available
    nines = NINES if bad <= 0 else -log10(min(bad, 1.0))
    text = (f"{_percent(seen.available)} of requests were good, over {_hours(seen.available_hours)}"
            " with data; target 99.99 %")
    return _share(nines / NINES), text, ()


def time_to_repair(tried: Sequence[Tried]) -> Judged:
    """Give each felt fault target / repair time, 1 at most; one never repaired counts 0.

    Seconds count from the revert for a fault that was held, and from the fault itself for one that
    the service had to repair.
    """
    felt = [t for t in tried if t.felt or not t.recovered]
    if not felt:
        return None, "no fault was felt, so there was nothing to repair", ()
    times = [t.repair_seconds for t in felt if t.recovered and t.repair_seconds is not None]
    lost = [f"{t.experiment} in {t.run_id}" for t in felt if not t.recovered]
    if not times and not lost:
        return None, "how long the repair of a felt fault took was not measured", ()
    values = [REPAIR_SECONDS / max(at, REPAIR_SECONDS) for at in times] + [0.0] * len(lost)
    said = [f"mean {_seconds(sum(times) / len(times))} over {len(times)} felt"] if times else []
    if lost:
        said.append(f"never seen to recover, counts 0: {', '.join(lost)}")
    return _share(sum(values) / len(values)), "; ".join(said) + "; target below 15 min", felt


def time_between(seen: Seen) -> Judged:
    """Give hours / failures / target, 1 at most; none in a day or more of watching gives 1.

    Only time without a run counts: what fails under a fault is counted by the other parts. A week
    cannot show 720 hours, so a week without a failure is all that can be asked for.
    """
    if seen.quiet_hours < LEAST_QUIET_HOURS:
        text = (f"only {_hours(seen.quiet_hours)} were seen without a run, "
                f"at least {LEAST_QUIET_HOURS:g} h are needed")
        return None, seen.trouble or text, ()
    count, hours = len(seen.failures), seen.quiet_hours
    if not count:
        return 1.0, f"no failure in {_hours(hours)} without a run; target 720 h between two", ()
    named = "; ".join(seen.failures[:3]) + ("; and more" if count > 3 else "")
    between = hours / count
    text = f"{count} in {_hours(hours)} without a run ({named}); target 720 h between two"
    return _share(between / BETWEEN_HOURS), text, ()


def budget_left(seen: Seen) -> Judged:
    """Give what is left of the bad requests that the suite's objective allows, as it is."""
    if seen.available is None or seen.promised is None:
        return None, _no_data(seen), ()
    allowed, bad = 1.0 - seen.promised, 1.0 - seen.available
    if allowed <= 0:
        return None, "the objective allows no bad request, so there is no error budget", ()
    text = (f"{_percent(bad)} of requests were bad, {_percent(allowed)} are allowed, "
            f"over {_hours(seen.available_hours)} with data")
    return _share(1.0 - bad / allowed), text, ()


def success(tried: Sequence[Tried]) -> Judged:
    """Give the share of faults whose experiment held / 95 %; one that is unknown has not held."""
    if not tried:
        return None, "no fault was injected", ()
    held = sum(t.verdict is Verdict.HELD for t in tried)
    said = [f"{held} of {len(tried)} held, target above 95 %"]
    for verdict in (Verdict.BROKEN, Verdict.UNKNOWN):
        named = dict.fromkeys(t.experiment for t in tried if t.verdict is verdict)
        if named:
            said.append(f"{verdict.name}: {', '.join(named)}")
    return _share(held / len(tried) / SUCCESS), "; ".join(said), tried


def alone(tried: Sequence[Tried]) -> Judged:
    """Give the share of faults after which the service was well in time by itself / 90 %."""
    if not tried:
        return None, "no fault was injected", ()
    count = sum(t.alone for t in tried)
    said = f"{count} of {len(tried)} recovered in time without help, target above 90 %"
    named = ", ".join(dict.fromkeys(t.experiment for t in tried if not t.alone))
    return _share(count / len(tried) / ALONE), said + (f"; not: {named}" if named else ""), tried


def _no_data(seen: Seen) -> str:
    return seen.trouble or "no data of an objective that says how many requests are good"


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def _hours(value: float) -> str:
    return f"{value * 60:.0f} min" if value < 2 else f"{value:.0f} h"
