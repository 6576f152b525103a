"""Which levels of isolation hold where transactions read and write registers."""

from pydantic import Field

from holdfast.checkers._dependency.cycles import any_cycle, cycles
from holdfast.checkers._dependency.judge import Case, Model, doubts_of
from holdfast.checkers._dependency.levels import OF_SESSIONS, STRICT, order_of, weaker
from holdfast.checkers._dependency.register_graph import (
    Assumed,
    Versions,
    register_graph,
    version_order,
)
from holdfast.checkers._dependency.register_reads import (
    look_at_reads,
    own_writes_lost,
    unwritten,
)
from holdfast.checkers._dependency.registers import Registers, registers
from holdfast.checkers._dependency.saturate import LARGEST, is_explained, saturated
from holdfast.checkers._dependency.txns import transactions
from holdfast.checkers._dependency.weak import CAUSAL, LEVELS, Sessions, weak_graph
from holdfast.checkers._dependency.words import name_of, op_text
from holdfast.history.columns import History, Kind
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker


class RwRegisterOptions(Frozen):
    """The level to judge by, what to assume of each key, and how many steps searches may take."""

    model: Model = STRICT
    wfr_keys: bool = False
    sequential_keys: bool = False
    linearizable_keys: bool = False
    budget: int = Field(default=5_000_000, ge=1)


class RwRegister:
    """Dependencies of transactions, as far as the order of written values can be inferred.

    Nothing comes before every value; more follows from what is assumed of the keys. Read
    committed, read atomic and causal consistency are decided as Biswas and Enea define them. A
    history without times has sessions only: they are then part of every level, and values that
    nobody wrote are no first values but garbage.
    """

    options: type[Frozen] = RwRegisterOptions

    def judge(self, history: History, options: RwRegisterOptions) -> Checked:
        """Judge; polynomial."""
        txns = transactions(history, (Kind.WRITE, Kind.READ))
        found = registers(txns)
        case = Case(txns, look_at_reads(found), doubts=doubts_of(txns))
        model, level = options.model, _weak_level(options.model)
        if not history.is_ordered:
            model = _of_sessions(case, model)
            level = level or CAUSAL
        if level:
            _weakly(case, found, level, options.budget)
        if not (history.is_ordered or options.model in LEVELS or case.is_broken(model)):
            _strongly(case, found, model, options.budget)
        versions = _ordered(case, found, options)
        graph = register_graph(found, versions, order_of(model))
        case.add_cycles(graph, cycles(graph, options.budget))
        return case.judged(model)


def _weak_level(model: str) -> str:
    return model if model in LEVELS else ""


def _of_sessions(case: Case, model: str) -> str:
    """The level that a history of sessions without times can tell of."""
    if order_of(model) == "realtime":
        case.doubts.append("the history does not tell when transactions began and ended")
    return OF_SESSIONS.get(model, model)


def _ordered(case: Case, found: Registers, options: RwRegisterOptions) -> Versions:
    """The order of versions that follows from what is assumed of the keys."""
    assumed = Assumed(options.wfr_keys, options.sequential_keys, options.linearizable_keys)
    versions = version_order(found, assumed)
    text, keys = found.txns.history.atoms.text, found.txns.keys

    def tell(number: int) -> str:
        key, source = versions.cyclic[number]
        return f"the versions of {text(int(keys[key]))} form a circle (with {source})"

    case.sights.add("cyclic-versions", range(len(versions.cyclic)), tell)
    return versions


def _weakly(case: Case, found: Registers, level: str, budget: int) -> None:
    """Decide the weak levels, from the weakest to the one asked for; the first broken is told."""
    txns = found.txns

    def tell(op: int, what: str) -> str:
        return f"{name_of(txns, int(txns.txn[op]))} did {op_text(txns, op)}: {what}"

    if not txns.history.is_ordered:
        case.sights.add("garbage-read", unwritten(found), lambda op: tell(op, "nobody wrote that"))
    case.sights.add(
        "lost-own-write", own_writes_lost(found), lambda op: tell(op, "it had written otherwise"))
    sessions = Sessions.of(found)
    for tried in LEVELS[:LEVELS.index(level) + 1]:
        graph = weak_graph(sessions, tried)
        cycle = any_cycle(graph, budget, f"{tried}-cycle")
        if cycle.counts or cycle.limits:
            case.add_cycles(graph, cycle)
            return


def _strongly(case: Case, found: Registers, model: str, budget: int) -> None:
    """Look for a violation of a strong level, or else for a serial order that shows it holds."""
    if len(found.txns) > LARGEST:
        case.doubts.append(f"more than {LARGEST} transactions without times")
        return
    graph = saturated(Sessions.of(found), "serializable" in weaker(model))
    case.add_cycles(graph, cycles(graph, budget))
    if not case.is_broken(model) and not is_explained(graph, found):
        case.doubts.append("no serial order was found, and none was ruled out")


CHECKER: HistoryChecker = RwRegister()
