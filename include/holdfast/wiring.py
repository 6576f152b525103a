"""Put the adapters of one deployment together; the one place that knows them all."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.clients.connections import connection
from holdfast.clock import SystemClock
from holdfast.model.indicator import Indicator
from holdfast.model.record import Tried
from holdfast.ports.bundle import Ports
from holdfast.ports.faults import FaultDriver
from holdfast.ports.metrics import Metrics, Sample
from holdfast.registry import Registry
from holdfast.settings import Settings


def ports(settings: Settings) -> Ports:
    """Open the stores below `settings.home` and wire every port to its adapter."""
    from holdfast.clients.witness import ask_witness
    from holdfast.stores.artefacts import FileArtefacts
    from holdfast.stores.books import SqlBooks
    from holdfast.stores.journal import FileJournals
    from holdfast.stores.keepers import LocalKeepers
    from holdfast.stores.ledger import SqlLedger
    from holdfast.stores.log import SqlLog
    from holdfast.stores.notary import LocalNotary
    from holdfast.stores.notices import HomeNotifier
    from holdfast.stores.places import books_of, leases_of
    from holdfast.stores.shown import SqlShown
    from holdfast.stores.workloads import LocalWorkloads

    def metrics(connection_id: str) -> Metrics:
        from holdfast.clients.prometheus import PrometheusMetrics

        found = connection(settings.connections, connection_id)
        return PrometheusMetrics(found.url, found.login, found.password)

    def probe(indicator: Indicator) -> Sample:
        from holdfast.clients.indicators import Places, ask_now

        return ask_now(Places(settings.connections, settings.commands), indicator)

    def selftest() -> Sequence[Tried]:
        from holdfast.stores.selftest import selftest as trials

        with TemporaryDirectory(prefix="holdfast-selftest-") as folder:
            return list(trials(books, settings.keys, Path(folder)))

    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.home.chmod(0o700)  # books and artefacts are nobody else's; the shop may have made it
    clock = SystemClock()
    books = books_of(settings)
    return Ports(
        settings=settings,
        clock=clock,
        leases=leases_of(settings),
        journals=FileJournals(settings.journals),
        keepers=LocalKeepers(settings),
        workloads=LocalWorkloads(settings),
        books=SqlBooks(books),
        ledger=SqlLedger(books),
        artefacts=FileArtefacts(settings.artefacts),
        notary=LocalNotary(books, settings.keys),
        log=SqlLog(books),
        shown=SqlShown(books),
        notifier=HomeNotifier(settings),
        drivers=Registry[FaultDriver]("faults", "DRIVER"),
        metrics=metrics,
        witness=ask_witness,
        selftest=selftest,
        probe=probe,
    )
