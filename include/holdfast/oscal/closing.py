"""Which risks a later run has shown to be gone."""

from collections.abc import Iterator, Sequence

from holdfast.model.verdict import Verdict
from holdfast.oscal.log import Basis
from holdfast.oscal.runs import Run, Signed
from holdfast.oscal.told import ResultTold
from holdfast.oscal.units import Unit, risk_uid, units_of
from holdfast.oscal.words import Json, plain, props, uid


def closed_risks(runs: Sequence[Run], basis: Basis) -> dict[str, Json]:
    """Give the closing entry of each risk that there was; by its UUID.

    A failure is gone when the same experiment of the same suite, in the same environment, has held
    later; one of the run as a whole, when a later run that did all it did has held as a whole.
    """
    results = sorted((r.result for r in runs if r.result), key=lambda r: r.index)
    return {
        risk_uid(early, unit): _entry(early, unit, late)
        for number, early in enumerate(results) for unit in units_of(early.told, basis)
        if unit.verdict is Verdict.BROKEN
        for late in [*_held(early, unit, results[number + 1:])][:1]
    }


def _held(
    early: Signed[ResultTold], unit: Unit, later: Sequence[Signed[ResultTold]]
) -> Iterator[Signed[ResultTold]]:
    for late in later:
        was, now = early.told, late.told
        if (was.suite, was.environment) != (now.suite, now.environment) or now.is_postponed:
            continue
        held = {t.name for t in now.experiments if t.verdict is Verdict.HELD}
        whole = now.verdict is Verdict.HELD and {t.name for t in was.experiments} <= held
        if unit.name in held if unit.trial else whole:
            yield late


def _entry(early: Signed[ResultTold], unit: Unit, late: Signed[ResultTold]) -> Json:
    return {
        "uuid": uid("closing", early.log, early.index, unit.name, late.index),
        "title": plain(f"{unit.title} held in run {late.told.run_id}"),
        "start": late.told.sealed_at.isoformat(),
        "props": props(run_id=late.told.run_id, log_index=late.index),
        "status-change": "closed",
    }
