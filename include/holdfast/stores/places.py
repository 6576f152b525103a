"""Where a deployment keeps what it knows: files of this host, or a server that machines share.

What only a server needs is imported with it: a keeper over files must stay light.
"""

from typing import TYPE_CHECKING

from holdfast.settings import Settings
from holdfast.stores.live import SqliteLeases

if TYPE_CHECKING:
    from holdfast.stores._database import Database
    from holdfast.stores.shared import SharedLeases


def leases_of(
    settings: Settings, *, busy_seconds: float = 5.0, create: bool = True
) -> "SqliteLeases | SharedLeases":
    """Open the lease store when it is first used. Without `create`, no file is a store down."""
    if not settings.store:
        return SqliteLeases(settings.live, busy_seconds=busy_seconds, create=create)
    from holdfast.stores._server import Server
    from holdfast.stores.shared import SharedLeases

    server = Server(settings.connections, settings.store)
    return SharedLeases(server, settings.hold, busy_seconds=busy_seconds)


def books_of(settings: Settings) -> "Database":
    """Where runs, ledger and evidence are."""
    if not settings.store:
        return settings.books
    from holdfast.stores._server import Server

    return Server(settings.connections, settings.store)
