"""A PostgreSQL that several machines share as their store, in a schema of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.clients.connections import connection
from holdfast.clients.postgres import OWN_NAME, Cluster, hang_up
from holdfast.errors import SpecError

if TYPE_CHECKING:
    import psycopg

    Link = psycopg.Connection[Any]

SCHEMA = "holdfast"
SILENT_SECONDS = 10.0
"""A server that answers nothing for so long is down."""
_IDLE_MS = 1000
"""How long a frozen client may keep what it has locked: shorter than any lease."""


@dataclass(frozen=True, slots=True)
class Server:
    """The PostgreSQL that a connection names; it is looked up when it is needed."""

    connections: Path
    id: str

    def __str__(self) -> str:
        return f"the store {self.id}"

    def open(self, busy_seconds: float) -> "Link":
        """A session at the node that takes writes; psycopg.Error or SpecError if none can be had.

        `busy_seconds` is the longest a statement waits for another's lock.
        """
        import psycopg

        entry = connection(self.connections, self.id)
        if entry.type != "postgres":
            raise SpecError(f"connection {self.id} is of type '{entry.type}'",
                            where="HOLDFAST_STORE", hint="the store is files, or a postgres")
        settings = {
            "search_path": SCHEMA, "lock_timeout": round(busy_seconds * 1000),
            "idle_in_transaction_session_timeout": _IDLE_MS, "synchronous_commit": "on",
            "default_transaction_isolation": r"read\ committed",
        }
        link = psycopg.connect(
            Cluster(entry).anywhere("read-write"), application_name=f"{OWN_NAME}-store",
            connect_timeout=2,
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            keepalives_idle=5, tcp_user_timeout=round(SILENT_SECONDS * 1000),
        )
        _write_any_text(link)
        return link


@contextmanager
def answering(link: "Link") -> Iterator[None]:
    """Hang up on a server that has stopped."""
    with hang_up(link.fileno(), SILENT_SECONDS):
        yield


def _write_any_text(link: "Link") -> None:
    """PostgreSQL has no text with a NUL or half a pair: what cannot be said is replaced."""
    from psycopg.types.string import StrDumperUnknown

    class Writable(StrDumperUnknown):
        def dump(self, obj: str) -> bytes:
            return obj.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace")

    link.adapters.register_dumper(str, Writable)
