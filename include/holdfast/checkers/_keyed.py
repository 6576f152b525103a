"""Judge the rows of each key by themselves, and join what was found."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from holdfast.history.columns import History
from holdfast.history.keyed import parts
from holdfast.model.quantities import Frozen
from holdfast.ports.checkers import Checked, KeyChecked, Share, first_of

_TOLD = 10
"""Of how many keys details are told."""
_WORST: tuple[Literal["invalid", "unknown", "valid"], ...] = ("invalid", "unknown", "valid")


class Keyed(ABC):
    """A KeyedChecker, given how to judge one key; the worst verdict of a key is that of all."""

    options: type[Frozen] = Frozen

    def fits(self, history: History) -> None:  # noqa: B027 - most take any history
        """Raise CheckError for a whole history that is of something else."""

    @abstractmethod
    def one(self, part: History, options: Any) -> Checked:
        """Judge the rows of one key."""

    def judge(self, history: History, options: Any) -> Checked:
        """Judge all keys."""
        return self.join(list(self.each(history, options, Share())))

    def each(self, history: History, options: Any, share: Share) -> Iterator[KeyChecked]:
        """Judge the keys of a share."""
        self.fits(history)
        for number, (key, part) in enumerate(parts(history)):
            if share.has(number):
                yield KeyChecked(number, key, self.one(part, options))

    def join(self, found: Sequence[KeyChecked]) -> Checked:
        """Join; what was found of the only key is what was found."""
        if len(found) == 1:
            return found[0].checked
        counts, anomalies = Counter[str](), dict[str, list[str]]()
        details: dict[str, Any] = {}
        for one in found:
            counts.update(one.checked.counts)
            for name, places in one.checked.anomalies.items():
                told = (f"key {one.key}: {place}" for place in places)
                anomalies.setdefault(name, []).extend(told)
            if one.checked.outcome != "valid" and one.checked.details and len(details) < _TOLD:
                details[f"key {one.key}"] = dict(one.checked.details)
        outcome = next(w for w in _WORST if any(one.checked.outcome == w for one in found))
        texts = [f"key {one.key}: {one.checked.text}" for one in found
                 if one.checked.outcome == outcome]
        text = f"all {len(found)} keys are right" if outcome == "valid" else first_of(texts)
        return Checked(outcome, text, dict(counts) | {"keys": len(found)}, anomalies, {}, details)
