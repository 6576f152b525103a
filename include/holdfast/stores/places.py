"""Where a deployment keeps what it knows: files of this host, or a server that machines share."""

from holdfast.settings import Settings
from holdfast.stores._database import Database
from holdfast.stores._server import Server
from holdfast.stores.live import SqliteLeases
from holdfast.stores.shared import SharedLeases


def leases_of(
    settings: Settings, *, busy_seconds: float = 5.0, create: bool = True
) -> SqliteLeases | SharedLeases:
    """Open the lease store when it is first used. Without `create`, no file is a store down."""
    if settings.store:
        server = Server(settings.connections, settings.store)
        return SharedLeases(server, settings.hold, busy_seconds=busy_seconds)
    return SqliteLeases(settings.live, busy_seconds=busy_seconds, create=create)


def books_of(settings: Settings) -> Database:
    """Where runs, ledger and evidence are."""
    return Server(settings.connections, settings.store) if settings.store else settings.books
