"""Judge a large history in several tasks, each a share of its keys, and join what they found."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from holdfast.errors import CheckError
from holdfast.history.about import side_file
from holdfast.model.run import RunState
from holdfast.model.suite import Suite
from holdfast.ports.bundle import Ports
from holdfast.ports.checkers import Checked, KeyChecked, KeyedChecker, Share
from holdfast.steps.book import run_of, suite_of
from holdfast.steps.histories import Asked, Ready, read, why_unknown
from holdfast.steps.items import keys, place_of


@dataclass(frozen=True, slots=True)
class ShareFound:
    """What one task found in the file with this digest; `failed` is why it went no further."""

    digest: str
    share: Share
    keys: Sequence[KeyChecked] = ()
    failed: str = ""

    @property
    def stopped_at(self) -> int:
        """The number of the key that was next."""
        return self.share.number + self.share.of * len(self.keys)

    @classmethod
    def parse(cls, content: bytes) -> "ShareFound":
        """Read what `check_share` wrote."""
        told = json.loads(content)
        found = [KeyChecked(k["number"], k["key"], Checked(**k["checked"])) for k in told["keys"]]
        return cls(told["digest"], Share(**told["share"]), found, told["failed"])


def check_share(ports: Ports, run_id: str, number: int, part: int) -> None:
    """Judge one share of the keys of a consistency item, and keep what was found.

    The history must have been kept (`keep`): CheckError says so. A checker that fails, and a
    history that cannot be judged, are told to whoever joins the shares.
    """
    if run_of(ports, run_id).state is RunState.POSTPONED:
        return
    suite = suite_of(ports, run_id)
    spec = suite.consistency[number]
    file = kept(ports, run_id, place_of(spec))
    if file is None or spec.parts is None:
        raise CheckError(f"history '{place_of(spec)}' was not kept: see the task 'keep'")
    found = judged(read(Asked(file, spec.checker, "", spec.params)), Share(part, spec.parts))
    name = _name(suite, number, found.share)
    content = json.dumps(asdict(found), indent=1).encode()
    ports.artefacts.put(run_id, name, content, "application/json")


def judged(ready: Ready, share: Share) -> ShareFound:
    """Judge a share, key by key."""
    found, failed = list[KeyChecked](), ""
    try:
        found.extend(_keyed(ready).each(ready.opened.history, ready.options, share))
    except Exception as error:  # noqa: BLE001 - the border: a checker that fails proves nothing
        failed = why_unknown(error)
    return ShareFound(ready.opened.digest, share, tuple(found), failed)


def joined(ready: Ready, found: Sequence[ShareFound], of: int) -> Checked:
    """Give the verdict that the whole history would have been given in one piece.

    CheckError if a share is missing, or was judged of another file. Of failures the one of the
    first key counts: the whole would have gone no further.
    """
    for number in range(of):
        if number not in {one.share.number for one in found if one.share.of == of}:
            raise CheckError(f"part {number + 1} of {of} was not judged (see its task); "
                             "holdfast check judges the kept history in one piece")
    if any(one.digest != ready.opened.digest for one in found):
        raise CheckError("its parts were judged of another file than the one that was kept")
    failed = min((one for one in found if one.failed), key=lambda one: one.stopped_at, default=None)
    if failed is not None:
        return Checked("unknown", failed.failed)
    if ready.is_empty:
        return ready.judge()
    all_keys = sorted((key for one in found for key in one.keys), key=lambda key: key.number)
    return _keyed(ready).join(all_keys)


def found_of(ports: Ports, run_id: str, suite: Suite, number: int) -> list[ShareFound]:
    """What the tasks of a consistency item have found until now."""
    of = suite.consistency[number].parts or 0
    wanted = {_name(suite, number, Share(part, of)) for part in range(of)}
    return [ShareFound.parse(ports.artefacts.path(one).read_bytes())
            for one in ports.artefacts.of(run_id) if one.name in wanted]


def kept(ports: Ports, run_id: str, place: str) -> Path | None:
    """The history that was kept, once its side file is there too."""
    files = {one.name: ports.artefacts.path(one) for one in ports.artefacts.of(run_id)}
    found = [path for name, path in files.items()
             if name.partition(".")[0] == f"history-{place}" and side_file(path).name in files]
    return found[0] if found else None


def _keyed(ready: Ready) -> KeyedChecker:
    if not isinstance(ready.checker, KeyedChecker):
        raise CheckError(f"{ready.name} cannot judge one key at a time")
    return ready.checker


def _name(suite: Suite, number: int, share: Share) -> str:
    return f"{keys(suite)[number]}-part-{share.number + 1}-of-{share.of}.json"
