"""No identifier is given out twice."""

from typing import Any

import numpy as np

from holdfast.checkers._history import complaint, ended, only, seen
from holdfast.checkers._register import value_text
from holdfast.errors import CheckError
from holdfast.history.columns import OK, History, Shape
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, HistoryChecker


class UniqueIds:
    """`duplicated`: an identifier that several clients were given."""

    options: type[Frozen] = Frozen

    def judge(self, history: History, options: Any) -> Checked:  # noqa: ARG002 - the protocol
        """Judge."""
        only(history, "generator of identifiers", "generate")
        rows = history.pair[ended(history, OK, "generate")]
        if (history.shape[rows] == Shape.NIL).any():
            raise CheckError("an acknowledged row does not tell the identifier it was given")
        counts = seen(history) | {"acknowledged": len(rows)}
        if not len(rows):
            return Checked("unknown", "no identifier was given out", counts)
        if (history.shape[rows] == Shape.ATOM).all():
            ids, times = np.unique(history.atom[rows], return_counts=True)
            found = [history.atoms.text(int(code)) for code in ids[times > 1]]
        else:
            texts, times = np.unique([value_text(history, row) for row in rows.tolist()],
                                     return_counts=True)
            found = texts[times > 1].tolist()
        anomalies = {"duplicated": found}
        if found:
            return Checked("invalid", complaint(anomalies), counts | {"duplicated": len(found)},
                           anomalies)
        return Checked("valid", f"all {len(rows)} identifiers differ", counts, anomalies)


CHECKER: HistoryChecker = UniqueIds()
