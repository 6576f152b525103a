"""Read rows of a PostgreSQL in one read-only transaction: all answers are of the same moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from holdfast.clients.postgres import Cluster, Node, hang_up
from holdfast.errors import CheckError, FaultError, TransientFaultError

if TYPE_CHECKING:
    import psycopg

LONGEST_SECONDS = 120.0
"""How long one look may take, whatever the server does."""
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a database: its snapshot was taken between `begun` and `ended`."""

    begun: float
    ended: float
    rows: Callable[[str], Iterator[tuple[Any, ...]]]
    """Stream the rows of one SELECT; what writes is refused with a FaultError."""


@contextmanager
def look(nodes: Cluster, node: Node, now: Callable[[], float]) -> Iterator[Look]:
    """Open one snapshot of a node, for reading only; `now` gives CLOCK_BOOTTIME seconds.

    TransientFaultError if the server does not answer, CheckError if it is too slow.
    """
    import psycopg

    begun = now()
    with _own_words(nodes.named(node)), \
            psycopg.connect(nodes.address(node), connect_timeout=2,
                            application_name="holdfast") as link, \
            hang_up(link.fileno(), LONGEST_SECONDS):
        link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        link.read_only = True
        limit = f"{round(LONGEST_SECONDS * 900)}ms"  # before the line is cut
        link.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        names = count()

        def rows(query: str) -> Iterator[tuple[Any, ...]]:
            with link.cursor(f"holdfast_{next(names)}") as cursor:  # takes one SELECT only
                cursor.itersize = _AT_ONCE
                yield from cursor.execute(query.encode())

        yield Look(begun, now(), rows)
        link.rollback()


@contextmanager
def _own_words(name: str) -> Iterator[None]:
    import psycopg
    from psycopg import errors

    refused = (errors.SyntaxError, errors.FeatureNotSupported, errors.ReadOnlySqlTransaction)
    try:
        yield
    except refused as error:
        text = f"the query must be one SELECT that changes nothing: {_first(error)}"
        raise FaultError(text, target=name) from error
    except errors.QueryCanceled as error:
        raise CheckError(f"{name}: not read within {LONGEST_SECONDS:g} s: {_first(error)}") \
            from error
    except psycopg.OperationalError as error:
        raise TransientFaultError(_first(error), target=name) from error
    except psycopg.Error as error:
        raise FaultError(_first(error), target=name) from error


def _first(error: "psycopg.Error") -> str:
    return next(iter(str(error).strip().splitlines()), "no answer")
