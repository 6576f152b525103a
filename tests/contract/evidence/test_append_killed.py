"""E1: whoever is killed while appending loses nothing that was acknowledged, and leaves no half."""

import os
import random
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime

from holdfast.evidence.checkpoint import read_checkpoint
from holdfast.evidence.head import check_head, check_tree
from holdfast.evidence.keys import public_key
from holdfast.evidence.merkle import leaf_hash
from holdfast.evidence.records import check_records
from holdfast.evidence.trust import trust_of
from holdfast.model.record import Role, Statement
from holdfast.stores.log import SqlLog
from holdfast.stores.notary import LocalNotary

KILLS = int(os.environ.get("HOLDFAST_APPEND_KILLS", "6"))
"""How often it is killed; a hundred take two minutes."""
APPENDER = textwrap.dedent("""
    import sys, threading
    from pathlib import Path
    from holdfast.model.record import Statement
    from holdfast.stores.notary import LocalNotary

    home = Path(sys.argv[1])
    notary = LocalNotary(home / "books.db", home / "keys")
    told = threading.Lock()

    def work(name):
        for number in range(100_000):
            record = notary.append(name, Statement("t/x/v1", {}, {"n": number}))
            with told:
                print(record.index, flush=True)

    for name in "abcd":
        threading.Thread(target=work, args=(name,), daemon=True).start()
    threading.Event().wait()
""")


def killed_while_appending(home, seconds):
    """Start the appender, kill it so long after its first record; what it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(home)], stdout=subprocess.PIPE, text=True)
    try:
        first = process.stdout.readline()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        rest = process.stdout.read()
        process.wait()
        process.stdout.close()
    lines = (first + rest).split("\n")[:-1]  # the last line may be cut
    return {int(line) for line in lines if line.isdecimal()}


def test_nothing_acknowledged_is_lost_and_nothing_half_is_accepted(tmp_path):
    chance = random.Random(7)
    notary = LocalNotary(tmp_path / "books.db", tmp_path / "keys")
    acknowledged = set()
    for _ in range(KILLS):
        acknowledged |= killed_while_appending(tmp_path, chance.uniform(0.0, 0.3))
        log = notary.records()
        keys = {role: public_key(notary.public_key(role)) for role in Role
                if role is not Role.WITNESS}
        note, _ = SqlLog(tmp_path / "books.db").head()
        trust = trust_of(read_checkpoint(note)[0].origin, keys, {})
        head = check_head(note, trust.policy, datetime.now(UTC))
        leaves = [leaf_hash(r.envelope) for r in log]
        assert acknowledged <= {r.index for r in log}
        assert [] == [*check_tree(head.checkpoint, leaves), *head.troubles]
        assert [] == check_records(log, trust.roles).troubles
    record = notary.append("after", Statement("t/x/v1", {}, {}))
    assert record.index == len(notary.records()) - 1
    assert len(acknowledged) > KILLS
