"""A PostgreSQL cluster reached through one connection entry that lists its nodes."""

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, cast

from holdfast.clients.connections import Connection, connection, plain_host
from holdfast.errors import FaultError, SpecError, TransientFaultError

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

OWN_NAME = "holdfast"
"""The application name of Holdfast's own sessions; those that are a fault add the lease to it."""
_LIMIT = 4.0


_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding")


def tls_of(entry: Connection) -> dict[str, str]:
    """How a connection asks for TLS, in libpq's words, from its extra; nothing where unsaid."""
    return {word: str(entry.extra[word]) for word in _TLS if word in entry.extra}


@dataclass(frozen=True, slots=True)
class Node:
    """One server of the cluster."""

    name: str
    host: str
    port: int


class Cluster:
    """The nodes of a connection entry: `extra.nodes` lists them, else the entry is the only one."""

    def __init__(self, entry: Connection) -> None:
        self._entry = entry
        self.target = entry.id
        listed = cast("Sequence[dict[str, Any]]", entry.extra.get("nodes") or [
            {"name": entry.host, "host": entry.host, "port": entry.port},
        ])
        try:
            self.nodes = tuple(
                Node(str(n["name"]), plain_host(str(n["host"]), entry.id), int(n["port"]))
                for n in listed
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SpecError(f"the nodes of connection '{entry.id}' cannot be read ({error!r})",
                            hint="each has name, host and port: holdfast connect --node") from error

    def node(self, name: str) -> Node:
        """The node of this name; FaultError if the entry lists none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise FaultError(f"no node '{name}' is listed", target=self.target)

    @contextmanager
    def session(self, node: Node, database: str = "") -> Iterator["Session"]:
        """Talk to one node for some seconds at most; TransientFaultError if it does not answer.

        `database` is another one than the entry's.
        """
        with self._errors(node), self._connect(node, OWN_NAME, database) as link, \
                hang_up(link.fileno(), _LIMIT):
            yield link

    def hold(self, node: Node, name: str, settings: Mapping[str, str]) -> "Session":
        """A session that stays open under this application name until its owner closes it.

        `settings` are the session's own: here belong the limits that end it should nobody close it.
        """
        with self._errors(node):
            return self._connect(node, name, settings=settings)

    @property
    def other_database(self) -> str:
        """A database of every cluster that is not the entry's: another way in."""
        return "template1" if self._database == "postgres" else "postgres"

    def ask(self, node: Node, question: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        with self.session(node) as link:
            return link.execute(question, values or None).fetchall()

    def run(self, node: Node, statement: LiteralString) -> None:
        """One statement that gives no rows."""
        with self.session(node) as link:
            link.execute(statement)

    def one(self, node: Node, question: LiteralString, *values: object) -> Any:
        """The first value of the first row; None without one."""
        rows = self.ask(node, question, *values)
        return rows[0][0] if rows else None

    def in_recovery(self) -> dict[str, bool | None]:
        """For each node whether it replays another's log; None when it does not answer."""
        return {node.name: self._in_recovery(node) for node in self.nodes}

    def writable(self) -> list[Node]:
        """The nodes that take writes now."""
        return [n for n in self.nodes if self._in_recovery(n) is False]

    def primary(self) -> Node:
        """The one node that takes writes; FaultError when none or several do, and why."""
        found, silent = [], []
        for node in self.nodes:
            try:
                if not self._replays(node):
                    found.append(node)
            except TransientFaultError as error:
                silent.append(str(error))
        if len(found) != 1:
            names = ", ".join(n.name for n in found) or "none"
            told = "; ".join([f"there must be one primary, found: {names}", *silent])
            raise FaultError(told, target=self.target)
        return found[0]

    @property
    def password(self) -> str:
        """For a program's environment only, never kept."""
        return self._entry.password

    def address(self, node: Node, *, secret: bool = True) -> str:
        """A libpq connection string; with its password never to be kept."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host=node.host, port=node.port, user=self._entry.login or None,
            password=(secret and self._entry.password) or None, dbname=self._database,
            **tls_of(self._entry),
        )

    def anywhere(self, wanted: str) -> str:
        """A libpq connection string for the first node that is as wanted; never to be kept.

        `wanted` is libpq's target_session_attrs, such as `primary` or `read-write`.
        """
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host=",".join(n.host for n in self.nodes),
            port=",".join(str(n.port) for n in self.nodes), user=self._entry.login or None,
            password=self._entry.password or None, dbname=self._database,
            target_session_attrs=wanted, **tls_of(self._entry),
        )

    def named(self, node: Node) -> str:
        """How a node is named to people."""
        return f"{self.target}/{node.name}"

    @property
    def role(self) -> str:
        """The role that the target's own clients log in as, from `extra.role`; empty if unsaid."""
        return str(self._entry.extra.get("role") or "")

    @property
    def _database(self) -> str:
        return self._entry.schema or "postgres"

    def _connect(
        self, node: Node, name: str, database: str = "", settings: Mapping[str, str] | None = None
    ) -> "Session":
        import psycopg

        return psycopg.connect(
            self.address(node), autocommit=True, connect_timeout=2, application_name=name,
            dbname=database or self._database,
            options=" ".join(f"-c {key}={value}" for key, value in (settings or {}).items()),
        )

    @contextmanager
    def _errors(self, node: Node) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.OperationalError as error:
            first = str(error).strip().splitlines()[:1]
            raise TransientFaultError(*first or ["no answer"], target=self.named(node)) from error
        except psycopg.Error as error:
            raise FaultError(str(error).strip(), target=self.named(node)) from error

    def _replays(self, node: Node) -> bool:
        return bool(self.one(node, "SELECT pg_is_in_recovery()"))

    def _in_recovery(self, node: Node) -> bool | None:
        try:
            return self._replays(node)
        except TransientFaultError:
            return None


def cluster(home: str, connection_id: str) -> Cluster:
    """The cluster of a connection id, from the connections file below `home`."""
    return Cluster(connection(Path(home) / "connections.json", connection_id))


@contextmanager
def hang_up(descriptor: int, seconds: float) -> Iterator[None]:
    """Hang up after so long when a server that has stopped answers nothing; libpq would wait on."""
    line = socket.socket(fileno=socket.dup(descriptor))
    timer = threading.Timer(seconds, line.shutdown, [socket.SHUT_RDWR])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()
