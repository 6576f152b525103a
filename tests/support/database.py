"""What the users of the bench's database see: a client that stays, and looks from outside."""

import threading
import time
from collections.abc import Callable, Mapping

import psycopg

_APPEARS = 0.05
_AGAIN = 1.0
_BUSY = """
SELECT pid, query_start FROM pg_stat_activity
WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
SCHEMA = (
    "INSERT INTO rows SELECT 'row-' || n FROM generate_series(1, 3) AS n",
    "CREATE TABLE pages AS SELECT n, repeat('x', 300) AS text FROM generate_series(1, 5000) AS n",
    "VACUUM (FREEZE) pages",
    "GRANT ALL ON rows, pages TO app",
    "GRANT pg_monitor TO app",
)


class Users:
    """Clients that log in as `app`, a plain role that may also look at activity.

    One of them keeps its session; when it is cut off it lets a second pass before it comes back.
    """

    def __init__(self, ports: tuple[int, int], password: str) -> None:
        listed = f"host=127.0.0.1,127.0.0.1 port={ports[0]},{ports[1]}"
        self._way = (
            f"{listed} user=app password={password} dbname=postgres connect_timeout=2"
            " target_session_attrs=read-write options='-c lock_timeout=60'"
        )
        self._ports, self._password = ports, password
        self._connected, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._stay, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._connected.wait(5)

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def settle(self) -> None:
        """Wait until the one that stays is back, where anybody can log in at all."""
        deadline = time.monotonic() + 10
        while self._can("SELECT 1")() and not self.is_connected():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def is_connected(self) -> bool:
        return self._connected.is_set()

    def observers(self) -> Mapping[str, Callable[[], bool]]:
        return {
            "sessions": self.is_connected, "logins": self._can("SELECT 1"),
            "rows": self._can("SELECT 1 FROM rows LIMIT 3 FOR UPDATE"),
            "queries": self._queries_are_short, "transactions": self._none_is_open,
            "pages": self._pages_can_be_read,
        }

    def _can(self, question: str) -> Callable[[], bool]:
        def look() -> bool:
            try:
                with psycopg.connect(self._way, autocommit=True) as link:
                    link.execute(question)
            except psycopg.OperationalError:
                return False
            return True

        return look

    def _queries_are_short(self) -> bool:
        before = self._ask(_BUSY)
        time.sleep(_APPEARS)
        return not before & self._ask(_BUSY)

    def _none_is_open(self) -> bool:
        return self._ask(_OPEN) in ({(0,)}, set())

    def _pages_can_be_read(self) -> bool:
        """On each node that answers, the standby too."""
        return all(map(self._reads, self._ports))

    def _reads(self, port: int) -> bool:
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user="app", password=self._password,
                dbname="postgres", connect_timeout=2, autocommit=True,
            ) as link:
                link.execute("SELECT sum(length(text)) FROM pages")
        except psycopg.InternalError:  # invalid page in block
            return False
        except psycopg.OperationalError:
            return True  # it does not answer, which is another observer's to see
        return True

    def _ask(self, question: str) -> set[tuple[object, ...]]:
        """The rows; none where nobody can log in, which is another observer's to see."""
        try:
            with psycopg.connect(self._way, autocommit=True) as link:
                return set(link.execute(question).fetchall())
        except psycopg.OperationalError:
            return set()

    def _stay(self) -> None:
        while not self._over.is_set():
            try:
                with psycopg.connect(self._way, autocommit=True) as link:
                    self._connected.set()
                    while not self._over.wait(0.02):
                        link.execute("SELECT 1")
            except psycopg.OperationalError:
                self._connected.clear()
                self._over.wait(_AGAIN)
