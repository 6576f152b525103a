"""How controls stand, service by service, by what the signed results of runs say. Pure.

Never more than "evidenced": whether a control is met is for people to judge.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from holdfast.model.control import Control, Excluded, Result, Standing, State, Strength
from holdfast.model.verdict import Verdict

ANY = "any"
"""Stands for the service where no run has shown anything of a control."""


def coverage(
    controls: Iterable[Control], results: Sequence[Result], now: datetime, days: int,
    excluded: Excluded,
) -> Sequence[Standing]:
    """Say of each control, for each service that runs have hit for it, how it stands.

    Evidence is fresh for `days`, or for the control's own longest age where that is shorter. The
    newest result that says HELD or BROKEN counts: UNKNOWN shows nothing, and is told.
    """
    by_name: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    controls = list(controls)
    known = frozenset(control.name for control in controls)
    for result in results:
        for name in result.controls & known:
            by_name[name][result.service].append(result)
    return [
        standing
        for control in controls
        for standing in _of_control(control, by_name[control.name], now, days, excluded)
    ]


def gaps(standings: Iterable[Standing]) -> Sequence[Standing]:
    """What somebody must look after, the gravest first."""
    order = list(State)
    open_ = [s for s in standings if order.index(s.state) < order.index(State.EVIDENCED)]
    return sorted(open_, key=lambda s: (order.index(s.state), s.control.name, s.service))


def _of_control(
    control: Control, by_service: dict[str, list[Result]], now: datetime, days: int,
    excluded: Excluded,
) -> Iterator[Standing]:
    if (why := excluded.get(control.name)) is not None:
        yield Standing(control, ANY, State.NOT_APPLICABLE, why)
    elif control.strength is Strength.NONE:
        yield Standing(control, ANY, State.NOT_EVIDENCEABLE, "no fault can show it: "
                       f"it asks for {control.fault_or_test}")
    elif control.strength is Strength.PLATFORM:
        yield Standing(control, ANY, State.NOT_EVIDENCEABLE,
                       "the evidence log itself shows it, no run does: holdfast evidence verify")
    elif not by_service:
        yield Standing(control, ANY, State.NO_EVIDENCE,
                       f"no run has named it; what would serve: {control.fault_or_test}")
    else:
        for service in sorted(by_service):
            yield _standing(control, service, by_service[service], now, days)


def _standing(
    control: Control, service: str, results: Sequence[Result], now: datetime, days: int
) -> Standing:
    ordered = sorted(results, key=lambda r: (r.at, r.record), reverse=True)
    told = [r for r in ordered if r.verdict is not Verdict.UNKNOWN]
    if not told:
        return Standing(control, service, State.NO_EVIDENCE, _unknown(ordered),
                        tuple(r.record for r in ordered))
    newest = told[0]
    fresh = timedelta(days=min(days, control.max_age_days))
    after = ordered[: ordered.index(newest)]
    more = f"; since then {_unknown(after)}" if after else ""
    records = tuple(r.record for r in told)
    if newest.verdict is Verdict.BROKEN:
        return Standing(control, service, State.FAILING,
                        f"{newest.run_id} ended BROKEN on {newest.at.date()}{more}", records)
    due = _due(newest.at, fresh)
    if now - newest.at > fresh:
        reason = (f"the newest run that held, {newest.run_id}, is {(now - newest.at).days} days "
                  f"old, {fresh.days} allowed{more}")
        return Standing(control, service, State.STALE, reason, records, due)
    whole = control.strength is Strength.DIRECT
    state = State.EVIDENCED if whole else State.PARTIAL
    rest = "" if whole else f"; a run shows a part of it only: {control.must_show}"
    return Standing(control, service, state,
                    f"{newest.run_id} held on {newest.at.date()}{rest}{more}", records, due)


def _due(at: datetime, fresh: timedelta) -> date:
    try:
        return (at + fresh).date()
    except OverflowError:
        return date.max


def _unknown(results: Sequence[Result]) -> str:
    runs = f"{len(results)} run{'' if len(results) == 1 else 's'}"
    return f"{runs} ended UNKNOWN, the latest {results[0].run_id}"
