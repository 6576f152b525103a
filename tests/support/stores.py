"""Stores of lists that keep a level of isolation, or break it in one way, and their histories."""

from dataclasses import dataclass, field
from random import Random

from support.txn_histories import from_rows

BUGS = ("lost-write", "stale-read", "dirty-read", "lost-update", "write-skew", "aborted-read")


@dataclass
class Txn:
    """A transaction that goes on: what it saw when it began, what it did."""

    tried: list
    seen: dict
    begun: int
    did: list = field(default_factory=list)
    left: list = field(default_factory=list)


class Store:
    """Lists under snapshot isolation; stronger and weaker levels differ in a few words."""

    def __init__(self, level, rng, bug="", rate=0.1):
        self.level, self.rng, self.bug, self.rate = level, rng, bug, rate
        self.lists, self.stamps, self.read_at, self.clock = {}, {}, {}, 0
        self.older = {}

    def snapshot(self):
        return {k: list(v) for k, v in self.lists.items()}

    def hit(self, bug):
        return self.bug == bug and self.rng.random() < self.rate

    def read(self, txn, key, running):
        base = self.lists if self.level == "read-committed" else txn.seen
        if self.hit("stale-read"):
            base = self.older
        found = list(base.get(key, ()))
        if self.hit("dirty-read"):
            found += [v for t in running if t is not txn for f, k, v in t.did
                      if f == "append" and k == key and v not in found]
        own = [v for f, k, v in txn.did if f == "append" and k == key]
        return [v for v in found if v not in own] + own

    def is_locked(self, txn, key, running):
        """Whether another transaction appended to the key and goes on: that locks it."""
        return self.level == "read-committed" and any(
            ["append", key] == did[:2] for t in running if t is not txn for did in t.did)

    def commit(self, txn):
        writes = {k for f, k, _ in txn.did if f == "append"}
        reads = {k for f, k, _ in txn.did if f == "r"}
        newer = {k for k, stamp in self.stamps.items() if stamp > txn.begun}
        clash = set()
        if self.level != "read-committed" and self.bug != "lost-update":
            clash = writes & newer
        if self.level == "serializable" and self.bug != "write-skew":
            clash |= reads & newer if writes else set()
        if clash:
            if self.bug == "aborted-read":
                self.apply(txn)
            return False
        if not self.hit("lost-write"):
            self.apply(txn)
        return True

    def apply(self, txn):
        self.clock += 1
        if self.clock % 5 == 0:
            self.older = self.snapshot()
        for f, key, value in txn.did:
            if f == "append":
                self.lists.setdefault(key, []).append(value)
                self.stamps[key] = self.clock


def rows(*, level="serializable", seed=0, size=300, clients=4, bug=""):
    """Rows of a history of a store; at the end every key is read."""
    rng = Random(seed)
    run = _Run(Store(level, rng, bug), rng, size)
    while run.waiting or run.running:
        process = rng.randrange(clients)
        if process in run.running:
            run.go_on(process)
        elif run.waiting:
            run.begin(process)
    final = [["r", key, list(value)] for key, value in sorted(run.store.lists.items())]
    run.row("invoke", clients, [["r", k, None] for _, k, _ in final])
    run.row("ok", clients, final)
    return run.found


class _Run:
    """Clients that each run one transaction after the other, a step at a time."""

    def __init__(self, store, rng, size):
        self.store, self.rng, self.waiting = store, rng, size
        self.running, self.found, self.value = {}, [], 0

    def row(self, kind, process, did):
        at = len(self.found)
        self.found.append({"index": at, "time": at, "type": kind, "process": process, "f": "txn",
                           "value": did})

    def begin(self, process):
        self.waiting -= 1
        tried = []
        for _ in range(self.rng.randint(1, 4)):
            key = f"k{self.rng.randrange(3) + 3 * (self.value // 60)}"
            is_append = self.rng.random() < 0.5
            self.value += is_append
            tried.append(["append", key, self.value] if is_append else ["r", key, None])
        self.row("invoke", process, tried)
        store = self.store
        self.running[process] = Txn(tried, store.snapshot(), store.clock, [], list(tried))

    def go_on(self, process):
        txn = self.running[process]
        if not txn.left:
            del self.running[process]
            self.row("ok" if self.store.commit(txn) else "fail", process, txn.did)
            return
        f, key, new = txn.left.pop(0)
        if f == "append" and self.store.is_locked(txn, key, self.running.values()):
            del self.running[process]
            self.row("fail", process, txn.tried)
            return
        txn.did.append([f, key, new if f == "append"
                        else self.store.read(txn, key, self.running.values())])


def history(**options):
    """The same as columns."""
    return from_rows(rows(**options))
