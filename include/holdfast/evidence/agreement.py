"""Whether the records of a run agree with each other, and a result with itself. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from holdfast.evidence.late import signed_when
from holdfast.evidence.log import Place, place_of
from holdfast.evidence.trouble import Trouble
from holdfast.model.record import PREDICATES, Statement
from holdfast.model.verdict import Verdict

_PLAN, _START, _RESULT = (f"{PREDICATES}{kind}/v1" for kind in ("plan", "run-start", "result"))
_OF_RUNS = (_PLAN, _START, _RESULT, f"{PREDICATES}approval/v1", f"{PREDICATES}report/v1")
_OF_THE_LOG = f"{PREDICATES}key-event/v1"
_SAME = ("suite", "suite_digest", "environment", "triggered_by", "controls")
"""What every record of a run that says it must say alike, from its plan on."""


def check_kinds(statements: Mapping[int, Statement]) -> Iterator[Trouble]:
    """Name records of a kind that is not known here, and those of no run that must be of one."""
    for index, statement in sorted(statements.items()):
        kind, place = statement.predicate_type, place_of(statement)
        if kind not in (*_OF_RUNS, _OF_THE_LOG):
            yield Trouble(
                "E_UNKNOWN_KIND", f"record {index}", "a kind of record that this verifier knows",
                kind[:120], "nobody has checked what it says",
            )
        elif place is not None and not place.run_id and kind != _OF_THE_LOG:
            yield _odds(index, "a run", "none", "it speaks of a run, and is none's")


def check_agreement(statements: Mapping[int, Statement]) -> Iterator[Trouble]:
    """Hold each record of a run against those before it."""
    said: dict[str, object] = {}
    start, at = -1, None
    for index, statement in sorted(statements.items()):
        kind, told, place = statement.predicate_type, statement.predicate, place_of(statement)
        if kind == _PLAN:
            said, start, at = {}, -1, None
        for name, value in _told(told):
            if said.setdefault(name, value) != value:
                yield _odds(index, f"{name} {said[name]}", str(value),
                            "records of one run tell of two")
        if place is not None and told.get("run_id", place.run_id) != place.run_id:
            yield _odds(index, f"run {place.run_id}", str(told["run_id"]),
                        "it is logged for one run, and speaks of another")
        if kind == _START:
            start, at = index, signed_when(statement)
        if kind == _RESULT:
            yield from _result(index, told, start, at)


def _told(told: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What must be told alike, and which service each experiment is about.

    Plans say the service with the fault, results beside it.
    """
    yield from ((name, told[name]) for name in _SAME if name in told)
    for experiment in _experiments(told):
        fault = experiment.get("fault")
        where = fault if isinstance(fault, Mapping) else experiment
        if "service" in where:
            yield f"service of {experiment.get('name')}", where["service"]


def _experiments(told: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    listed = told.get("experiments")
    return [e for e in listed if isinstance(e, Mapping)] if isinstance(listed, list) else []


def _result(
    index: int, told: Mapping[str, object], start: int, at: Place | None
) -> Iterator[Trouble]:
    is_named = "late" not in told  # what waited did not know what number its start would have
    if is_named and told.get("start_index", start) != start:
        yield _odds(index, f"the start in record {start}", str(told["start_index"]),
                    "it is the result of another start")
    if not isinstance(told.get("is_postponed", False), bool):
        yield _odds(index, "yes or no", str(told["is_postponed"]),
                    "nobody can say whether the run was postponed")
    own = _experiments(told)
    if told.get("is_postponed") and any(_is_after(e, at) for e in own):
        yield _odds(index, "no fault", "one", "a run that is postponed has no fault")
    yield from _verdict(index, told, own)


def _is_after(experiment: Mapping[str, object], start: Place | None) -> bool:
    """Whether its fault began after the start; one of an earlier start may be told of again."""
    begun = experiment.get("injected_boottime_ms")
    return (start is not None and isinstance(begun, int) and begun >= start.boottime_ms
            and experiment.get("boot_id") == start.boot_id)


def _verdict(
    index: int, told: Mapping[str, object], experiments: Sequence[Mapping[str, object]]
) -> Iterator[Trouble]:
    """The worst of a result's verdicts is its own; before `whole` was signed, it may be worse."""
    names = [told.get("verdict"), told.get("whole", "HELD"),
             *(e.get("verdict") for e in experiments)]
    known = [Verdict[n] for n in names if isinstance(n, str) and n in Verdict.__members__]
    if len(known) < len(names) or not experiments:
        return
    own, worst = known[0], max(known[1:])
    if own < worst or (own > worst and "whole" in told):
        yield _odds(index, worst.name, own.name, "its verdict is not the worst of what it tells")


def _odds(index: int, expected: str, found: str, meaning: str) -> Trouble:
    return Trouble("E_AT_ODDS", f"record {index}", expected[:200], found[:200], meaning)
