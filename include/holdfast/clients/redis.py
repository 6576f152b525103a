"""One session with a Redis, command by command, so that it is known what was sent."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from holdfast.clients.connections import Connection
from holdfast.errors import FaultError, SpecError

if TYPE_CHECKING:
    from redis.connection import Connection as Link

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 4.0
PORT = 6379


def link(entry: Connection) -> "Link":
    """A session that is not connected yet; it tries nothing again by itself.

    Extra `ssl: true` asks for TLS with the system's authorities, or those of `ssl_ca`. SpecError if
    the database is no number, or `ssl` neither true nor false.
    """
    from redis.backoff import NoBackoff
    from redis.connection import Connection as Plain
    from redis.connection import SSLConnection
    from redis.retry import Retry

    if not (entry.schema or "0").isdigit():
        raise SpecError(f"the database '{entry.schema}' is no number",
                        where=f"connection {entry.id}")
    kind: type[Plain] = Plain
    more: dict[str, Any] = {}
    if _wants_tls(entry):
        authorities = str(entry.extra.get("ssl_ca") or ssl.get_default_verify_paths().cafile)
        kind, more = cast(type[Plain], SSLConnection), {"ssl_ca_certs": authorities}
    return kind(
        host=entry.host, port=entry.port or PORT, db=int(entry.schema or "0"),
        username=entry.login or None, password=entry.password or None,
        socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0), decode_responses=True, protocol=2, **more,
    )


def _wants_tls(entry: Connection) -> bool:
    said = str(entry.extra.get("ssl", False)).lower()  # a command line knows text only
    if said not in ("true", "false"):
        raise SpecError(f"ssl is '{said}'", where=f"connection {entry.id}", hint="true or false")
    return said == "true"


@contextmanager
def connected(entry: Connection) -> Iterator["Link"]:
    """A session that is; surely ended. FaultError says why it cannot be."""
    import redis

    session = link(entry)
    try:
        session.connect()
        yield session
    except (redis.RedisError, OSError) as error:
        raise FaultError(str(error), target=f"connection {entry.id}") from error
    finally:
        session.disconnect()


def ask(session: "Link", *words: object) -> object:
    """Send one command and wait for its answer; redis.RedisError or OSError if there is none."""
    session.send_command(*words)
    answer: object = session.read_response()
    return answer


def takes_writes(session: "Link") -> bool:
    """Whether it is a primary."""
    role = ask(session, "ROLE")
    return isinstance(role, list) and role[0] == "master"
