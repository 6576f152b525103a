"""A load generator that others may raise for a while, each under a mark of their own."""

from urllib.parse import quote

from holdfast.clients.connections import Connection
from holdfast.clients.control import ask
from holdfast.errors import FaultError, TransientFaultError

_SENT = "shop_load_requests_total"


class Load:
    """The control of one load: `GET/PUT/DELETE /raises/{mark}`, `GET /raises`, `/metrics`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection
        self.target = connection.id

    def raises(self) -> tuple[dict[str, float], float]:
        """The factors that are on, by mark, and the requests a second that they make."""
        status, body = ask(self._link, "GET", "/raises")
        if status != 200 or not isinstance(body, dict):
            raise FaultError(f"this load cannot be raised ({status})", target=self.target)
        return {r["mark"]: float(r["factor"]) for r in body["raises"]}, float(body["rate"])

    def put(self, mark: str, factor: float, seconds: float) -> None:
        """Multiply the rate; the load itself ends it after so many seconds."""
        body = {"factor": factor, "seconds": seconds}
        status, answer = ask(self._link, "PUT", _path(mark), body)
        if status not in (200, 201, 204):
            raise FaultError(f"the raise was refused ({status} {answer})", target=self.target)

    def delete(self, mark: str) -> None:
        """Take a raise back; one that is not there (the load may have restarted) is fine."""
        status, answer = ask(self._link, "DELETE", _path(mark))
        if status not in (200, 204, 404):
            raise TransientFaultError(f"the raise stays ({status} {answer})", target=self.target)

    def sent(self) -> float | None:
        """How many requests there have been, by the load's own metrics; None if it has none."""
        body = ask(self._link, "GET", "/metrics")[1]
        for line in body.splitlines() if isinstance(body, str) else []:
            if line.startswith(_SENT):
                return float(line.split()[-1])
        return None


def _path(mark: str) -> str:
    return f"/raises/{quote(mark, safe='')}"
