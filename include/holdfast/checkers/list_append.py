"""Which levels of isolation hold where transactions append to lists and read them."""

from pydantic import Field

from holdfast.checkers._dependency.appends import lists
from holdfast.checkers._dependency.cycles import cycles
from holdfast.checkers._dependency.judge import Case, Model, doubts_of
from holdfast.checkers._dependency.levels import STRICT, order_of
from holdfast.checkers._dependency.list_graph import list_graph
from holdfast.checkers._dependency.list_reads import look_at_reads
from holdfast.checkers._dependency.txns import transactions
from holdfast.history.columns import History, Kind
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker


class ListAppendOptions(Frozen):
    """The level to judge by, and how many steps searches for cycles may take."""

    model: Model = STRICT
    budget: int = Field(default=5_000_000, ge=1)


class ListAppend:
    """Dependencies of transactions from the orders that reads of lists show.

    Finds what Elle names: aborted, intermediate and garbage reads, lost and dirty updates,
    incompatible orders, transactions at odds with themselves, and cycles of every kind.
    """

    options: type[Frozen] = ListAppendOptions

    def judge(self, history: History, options: ListAppendOptions) -> Checked:
        """Judge; polynomial, and linear but for sorting where nothing is wrong."""
        txns = transactions(history, (Kind.APPEND, Kind.READ))
        order = order_of(options.model)
        known_lists = lists(txns)
        case = Case(txns, look_at_reads(known_lists), doubts=doubts_of(txns))
        if order == "realtime" and not history.is_ordered:
            case.doubts.append("the history does not tell when transactions began and ended")
            order = "process"
        graph = list_graph(known_lists, order)
        case.add_cycles(graph, cycles(graph, options.budget))
        return case.judged(options.model)


CHECKER: HistoryChecker = ListAppend()
