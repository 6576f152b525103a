"""What was seen: an observation for each experiment, the run as a whole, and what did not hold."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from holdfast.model.verdict import Verdict
from holdfast.oscal.log import Basis, entry
from holdfast.oscal.runs import Signed
from holdfast.oscal.told import Check, File, ResultTold, Told, Trial
from holdfast.oscal.units import Unit, observation_uid, service_of, services_of, units_of
from holdfast.oscal.words import METHOD, Json, line, plain, props, uid

TOOL = uid("component", "holdfast")
SAID = {
    Verdict.HELD: "What was tested held.",
    Verdict.UNKNOWN: "Nothing is known: the test did not conclude.",
    Verdict.BROKEN: "What was tested did not hold.",
}
_BOOK = "book.json"
_FIGURES = (
    "lease_id", "ended", "revoked", "lease_margin_ms", "abort_ms", "detection_ms",
    "recovery_from_fault_ms", "recovery_from_revert_ms",
)


def observations(result: Signed[ResultTold], basis: Basis) -> Iterator[Json]:
    """Write down what a result says was seen."""
    for unit in units_of(result.told, basis):
        yield _of_unit(result, unit)
        for check in unit.checks:
            yield _of_check(result, unit, check)


def component_uid(log: str, environment: str, service: str) -> str:
    """Name a service of an environment."""
    return uid("component", log, environment, service)


def artefact_uid(signed: Signed[Told], name: str, digest: str) -> str:
    """Name a file by the record that names it."""
    return uid("artefact", signed.log, signed.index, name, digest)


def _of_unit(result: Signed[ResultTold], unit: Unit) -> Json:
    trial = unit.trial
    figures = {n: _or_nothing(getattr(trial, n)) for n in _FIGURES} if trial else {}
    about = props(
        verdict=unit.verdict.name, experiment=unit.name, run_id=result.told.run_id,
        log_index=result.index, fault_type=trial.fault_type if trial else "", **figures,
    )
    return {
        "uuid": observation_uid(result, unit),
        "title": plain(f"{unit.title}: {unit.verdict.name}"),
        "description": f"{_fault(trial, result.told)} {SAID[unit.verdict]}",
        "props": about, **_common(result, unit),
    }


def _of_check(result: Signed[ResultTold], unit: Unit, check: Check) -> Json:
    about = props(
        verdict=check.verdict.name, experiment=unit.name, check=check.name,
        run_id=result.told.run_id, log_index=result.index,
    )
    return {
        "uuid": observation_uid(result, unit, check.name),
        "title": plain(f"{unit.title}, {check.name}: {check.verdict.name}"),
        "description": plain(check.text) or SAID[check.verdict],
        "props": about, **_common(result, unit),
    }


def _common(result: Signed[ResultTold], unit: Unit) -> Json:
    told = result.told
    hit = [service_of(unit.trial, told)] if unit.trial else services_of(told)
    subjects = [{"subject-uuid": component_uid(result.log, told.environment, service),
                 "type": "component"} for service in hit]
    ages = [control.max_age_days for control in unit.controls]
    expires = {"expires": (told.sealed_at + timedelta(days=min(ages))).isoformat()} if ages else {}
    return {
        "methods": [METHOD], "types": ["control-objective"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": TOOL}]}],
        **({"subjects": subjects} if subjects else {}),
        "relevant-evidence": list(_evidence(result, unit)),
        "collected": told.sealed_at.isoformat(), **expires,
    }


def _evidence(result: Signed[ResultTold], unit: Unit) -> Iterator[Json]:
    yield {"href": entry(result.index), "description": f"The signed result, record {result.index} "
           "of the evidence log."}
    for file in result.told.artefacts:
        if file.name == _BOOK or _speaks_of(file, unit, result.told.experiments):
            digest = file.digest.removeprefix("sha256:")
            yield {"href": f"#{artefact_uid(result, file.name, digest)}",
                   "description": plain(file.name)}


def _speaks_of(file: File, unit: Unit, trials: Sequence[Trial]) -> bool:
    """Files of an experiment bear its name; all others are of the run as a whole."""
    found = [t.name for t in trials if f"-{t.name}-" in file.name or f"-{t.name}." in file.name]
    return unit.name == max(found, key=len, default="")


def _fault(trial: Trial | None, told: ResultTold) -> str:
    if trial is None:
        return "The checks of the whole run: consistency of its data, budget, tasks, state."
    if not trial.fault_type:
        return "Its fault never began."
    ended = f", ended by {trial.revoked or trial.ended}" if trial.revoked or trial.ended else ""
    return f"{plain(trial.fault_type)} on {plain(service_of(trial, told))}{plain(ended)}."


def _or_nothing(value: object) -> str:
    return "" if value is None else line(value)
