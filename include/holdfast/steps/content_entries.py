"""What the book says of mechanisms, money, health, the normal state, reach and score.

Entries may be of another version: what is missing or of another kind is told as not known.
"""

from collections.abc import Iterable, Mapping, Sequence

from holdfast.model.allowance import BudgetSpec
from holdfast.model.ledger import as_amount, millionths
from holdfast.model.quantities import Bound
from holdfast.model.run import Entry, EntryKind
from holdfast.model.score import Part, Score
from holdfast.model.suite import Suite
from holdfast.model.verdict import Finding
from holdfast.ports.bundle import Ports
from holdfast.reports._content import Blast, Health, HealthPart, Mechanism, Normal, Spend
from holdfast.safety.ledger import taken
from holdfast.score.matters import is_mechanism
from holdfast.steps.content_guard import whole

BLAST = "blast_radius"
_TAILS = {"max": ("p50", "p95", "p99"), "min": ("p50", "p25", "p05")}


def mechanisms(found: Iterable[Finding], suite: Suite) -> list[Mechanism]:
    """Give each verdict on a mechanism with the figures behind it, and what its author says."""
    said = {name: spec.description for name, spec in suite.mechanisms.items()}
    return [
        Mechanism(
            f.name, str(f.measured["mechanism"]), f.experiment,
            str(f.measured.get("state", f.verdict.name)), f.verdict,
            str(f.measured.get("risk", "–")), f.text, _figures(f.measured),
            said.get(f.name, ""),
        )
        for f in found if is_mechanism(f)
    ]


def blasts(found: Iterable[Finding]) -> list[Blast]:
    """Give how much of all traffic each experiment hit."""
    return [
        Blast(
            f.experiment, f.verdict, f.text, whole(f.measured.get("hit")),
            whole(f.measured.get("requests")), _number(f.measured.get("share")),
            _number(f.measured.get("limit")),
        )
        for f in found if f.name == BLAST
    ]


def spends(ports: Ports, run_id: str) -> list[Spend]:
    """Give what was reserved, spent and given back; the run as a whole last."""
    told = [
        Spend(entry.name, *(_text(entry.data.get(name)) for name in (
            "reserved", "spent", "released", "currency", "requests", "fault_seconds",
        )))
        for entry in ports.books.read(run_id, EntryKind.SPEND)
    ]
    return sorted(told, key=lambda spend: spend.name == "run")


def day_left(ports: Ports, run_id: str, budget: BudgetSpec | None) -> str:
    """Say what the day had left when the last money of this run was moved; nothing without."""
    own = ports.ledger.postings(run_id=run_id)
    if budget is None or not own:
        return ""
    day, last = own[-1].day, own[-1]
    there = list(ports.ledger.postings(day=day))
    then = there[:len(there) - there[::-1].index(last)]  # what later runs took is not this one's
    left = as_amount(millionths(budget.per_day) - taken(then, day, budget.currency))
    return (f"{left:f} of {budget.per_day:f} {budget.currency} were left for {day} "
            f"({budget.time_zone}) when this run was settled")


def health(ports: Ports, run_id: str) -> Health | None:
    """Give the health score before the first fault, if one was taken."""
    entry = _latest(ports, run_id, EntryKind.HEALTH)
    if entry is None:
        return None
    parts = [
        HealthPart(
            _text(p.get("name")), _number(p.get("weight")) or 0.0, _number(p.get("value")),
            _text(p.get("text")),
        )
        for p in _maps(entry.data.get("parts"))
    ]
    return Health(_number(entry.data.get("score")), _number(entry.data.get("limit")), parts)


def normals(ports: Ports, run_id: str, suite: Suite) -> list[Normal]:
    """Give what was normal for each objective, and how that differs from earlier runs."""
    bounds = {o.name: o.objective for o in suite.objectives}
    entries = ports.books.read(run_id, EntryKind.BASELINE)
    return [_normal(entry, bounds[entry.name]) for entry in entries if entry.name in bounds]


def score(ports: Ports, run_id: str) -> Score | None:
    """Give the resilience score as it was written down."""
    entry = _latest(ports, run_id, EntryKind.SCORE)
    if entry is None:
        return None
    parts = [
        Part(
            _text(p.get("name")), _number(p.get("weight")) or 0.0, _number(p.get("value")),
            _text(p.get("text")), _names(p.get("runs")),
        )
        for p in _maps(entry.data.get("parts"))
    ]
    return Score(
        _number(entry.data.get("score")), str(entry.data.get("text", "")),
        whole(entry.data.get("window_days")) or 0, _names(entry.data.get("runs")), parts,
    )


def _normal(entry: Entry, bound: Bound) -> Normal:
    """Tell it in the author's unit; the worst is on the bound's far side."""
    worst_of, how = ("max", "at most") if bound.op.startswith("<") else ("min", "at least")
    mean, worst = _number(entry.data.get("mean")), _number(entry.data.get(worst_of))
    found = entry.data.get("quantiles")
    quantiles = found if isinstance(found, Mapping) else entry.data
    told = [
        f"{name} {bound.tell(value)}" for name in _TAILS[worst_of]
        if (value := _number(quantiles.get(name))) is not None
    ]
    return Normal(
        entry.name, str(bound), "no data" if mean is None else bound.tell(mean),
        "–" if worst is None else f"{how} {bound.tell(worst)}", ", ".join(told),
        whole(entry.data.get("earlier_runs")), str(entry.data.get("drift", "")),
    )


def _figures(measured: Mapping[str, object]) -> list[tuple[str, str]]:
    """Give the plain figures, without what has a column of its own."""
    return [
        (name.replace("_", " "), f"{value:.6g}" if isinstance(value, float) else str(value))
        for name, value in measured.items()
        if name not in ("mechanism", "state", "risk") and isinstance(value, int | float | str)
    ]


def _latest(ports: Ports, run_id: str, kind: EntryKind) -> Entry | None:
    entries = ports.books.read(run_id, kind)
    return entries[-1] if entries else None


def _maps(value: object) -> Sequence[Mapping[str, object]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list | tuple) else []


def _names(value: object) -> Sequence[str]:
    return [str(v) for v in value] if isinstance(value, list | tuple) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return "–" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
