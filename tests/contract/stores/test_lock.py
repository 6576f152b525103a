"""Of all that want an environment at once, one run has it, whatever DAG or process asks (S3)."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from holdfast.errors import Postponed
from holdfast.stores.places import leases_of

RACERS = """
import sys
from pathlib import Path
from holdfast.errors import Postponed
from holdfast.settings import Settings
from holdfast.stores.places import leases_of
home = Path(sys.argv[1])
store = leases_of(Settings(home, home, store=sys.argv[2]))
for environment in range(20):
    try:
        store.lock(f"lab-{environment}", sys.argv[3])
        print(environment)
    except Postponed:
        pass
"""


def test_of_many_processes_one_gets_each_environment(settings):
    store = leases_of(settings)
    store.environment("lab")  # the file is there before anybody races
    runs = [f"suite-{n}--nightly" for n in range(4)]
    racers = [
        subprocess.Popen([sys.executable, "-c", RACERS, str(settings.home), settings.store, run],
                         stdout=subprocess.PIPE, text=True)
        for run in runs
    ]
    won = {run: racer.communicate(timeout=100)[0].split()
           for run, racer in zip(runs, racers, strict=True)}
    assert sorted(map(str, range(20))) == sorted(e for own in won.values() for e in own)
    holders = {f"lab-{e}": run for run, own in won.items() for e in own}
    assert holders == {e.name: e.locked_by for e in store.environments() if e.name != "lab"}


def test_of_many_threads_one_gets_it_and_the_next_when_it_is_given_back(settings):
    def race(run: str) -> str:
        store = leases_of(settings)
        try:
            store.lock("lab", run)
        except Postponed:
            return ""
        return run

    with ThreadPoolExecutor(8) as pool:
        (first,) = filter(None, pool.map(race, [f"suite-{n}--1" for n in range(8)]))
        leases_of(settings).unlock("lab", first)
        (second,) = filter(None, pool.map(race, [f"suite-{n}--2" for n in range(8)]))
    assert first != second
