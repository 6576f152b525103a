"""One client's session: a transaction is done, surely not done, or nobody knows."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, LiteralString

from holdfast.clients.postgres import Cluster, hang_up
from holdfast.clock import Clock
from holdfast.errors import SpecError
from holdfast.history.recorder import Refused
from holdfast.ports.workloads import Ask, Unanswered
from holdfast.workloads._pace import Pace
from holdfast.workloads._schema import share_lock

if TYPE_CHECKING:
    import psycopg

    Link = psycopg.Connection[tuple[Any, ...]]

NAME = "workload"
"""The application's name. Faults spare sessions of Holdfast's own name; these they must hit."""
LIMIT_SECONDS = 4.0
"""How long an answer is waited for; after that nobody knows."""
_CONNECT_SECONDS = 2


class Session:
    """Connected when it is needed, to the node that takes writes, and again after any trouble."""

    def __init__(self, cluster: Cluster, schema: str, pace: Pace, clock: Clock) -> None:
        self._cluster, self._schema, self._pace, self._clock = cluster, schema, pace, clock
        self._link: Link | None = None
        self._warnings: list[str] = []

    def transact(self, work: Callable[[Ask], Any]) -> Any:
        """Do it in one transaction and give back what it gives.

        Refused if it surely did not happen: before COMMIT was sent, or because the server rolled it
        back for another's sake. Unanswered if nobody knows.
        """
        import psycopg

        try:
            link = self._opened()
            with hang_up(link.fileno(), LIMIT_SECONDS):
                answered = work(self._ask(link))
        except (psycopg.Error, Refused) as error:
            self._give_up()
            raise Refused(_first(error)) from error
        try:
            self._commit(link)
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
            self._give_up()
            raise Refused(_first(error)) from error
        except psycopg.Error as error:
            self.close()
            raise Unanswered(_first(error)) from error
        return answered

    def _commit(self, link: "Link") -> None:
        """A COMMIT that is acknowledged with a warning has not reached the standby: nobody knows.

        So the server answers when its wait for synchronous replication is cancelled or timed out.
        """
        import psycopg

        self._warnings.clear()
        with hang_up(link.fileno(), LIMIT_SECONDS):
            link.commit()
        if self._warnings:
            raise psycopg.OperationalError(self._warnings[0])

    def _noticed(self, told: "psycopg.errors.Diagnostic") -> None:
        if told.severity_nonlocalized == "WARNING":
            self._warnings.append(told.message_primary or "a warning")

    def close(self) -> None:
        """Hang up."""
        link, self._link = self._link, None
        if link is not None:
            link.pgconn.finish()

    def _opened(self) -> "Link":
        if self._link is None:
            link = self._connected()
            try:
                with hang_up(link.fileno(), LIMIT_SECONDS):
                    self._expect_as_asked(link)
            except BaseException:
                link.pgconn.finish()
                raise
            link.add_notice_handler(self._noticed)
            self._link = link
        return self._link

    def _connected(self) -> "Link":
        import psycopg

        settings = {
            **{name: value.replace(" ", r"\ ") for name, value in self._wanted.items()},
            "statement_timeout": round(LIMIT_SECONDS * 1000),
        }
        return psycopg.connect(
            self._cluster.anywhere("read-write"), application_name=NAME,
            connect_timeout=_CONNECT_SECONDS,
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
        )

    @property
    def _wanted(self) -> Mapping[str, str]:
        return {
            "search_path": self._schema,
            "default_transaction_isolation": self._pace.isolation.replace("-", " "),
            "synchronous_commit": "on",
        }

    def _expect_as_asked(self, link: "Link") -> None:
        """A pooler may drop a session's settings: writes would go to the user's own tables."""
        for name, wanted in self._wanted.items():
            (found,), = link.execute("SELECT current_setting(%s)", (name,)).fetchall()
            if found != wanted:
                raise SpecError(
                    f"a session asked for {name} = {wanted} and has {found}",
                    where=f"connection {self._cluster.target}",
                    hint="a pooler drops it: name the server itself, or let the pooler pass "
                         "`options` on",
                )
        if not share_lock(link, self._schema):
            raise Refused(f"schema {self._schema} is being dropped")
        link.commit()

    def _ask(self, link: "Link") -> Ask:
        is_first = True

        def ask(statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
            nonlocal is_first
            if not is_first:
                self._clock.sleep(self._pace.pause)
            is_first = False
            cursor = link.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

        return ask

    def _give_up(self) -> None:
        import psycopg

        try:
            if self._link is not None:
                with hang_up(self._link.fileno(), LIMIT_SECONDS):
                    self._link.rollback()
        except psycopg.Error:
            self.close()


def _first(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
