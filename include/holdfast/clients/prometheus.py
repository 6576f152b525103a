"""Ask Prometheus from tasks: one number, or why there is none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite, isnan
from typing import Any

from holdfast.clients.promql import NO_SERIES, age_of, fresh, parameters, sample_of, too_old
from holdfast.clock import Clock, SystemClock
from holdfast.errors import CheckError
from holdfast.ports.metrics import Sample

NOW_SECONDS = 2.0
BETWEEN_SECONDS = 15.0


class PrometheusMetrics:
    """One Prometheus. A question is asked once: what is late is no data, never an older answer."""

    def __init__(
        self, base_url: str, login: str = "", password: str = "", clock: Clock | None = None
    ) -> None:
        self._url, self._login, self._password = base_url.rstrip("/"), login, password
        self._clock = clock or SystemClock()

    def now(self, query: str, max_age: float | None = None) -> Sample:
        """The query's value now."""
        sample = self._now(parameters(query, max_age))
        if sample.why != NO_SERIES or fresh(query, max_age) == query:
            return sample
        age = self._now(parameters(age_of(query), None)).value
        if age is None or age <= (max_age or 0.0):
            return sample
        return Sample(None, sample.at, too_old(age, max_age))

    def _now(self, sent: Mapping[str, str]) -> Sample:
        at, more = self._clock.now().timestamp(), {k: v for k, v in sent.items() if k != "query"}
        try:
            with _asked():
                found = self._client.custom_query(sent["query"], more, timeout=NOW_SECONDS)
                return _sample(found, at)
        except CheckError as error:
            return Sample(None, at, str(error))

    def between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[tuple[float, float]]:
        """Pairs of unix seconds and value of the only series; CheckError if it cannot be asked."""
        found = self.each_between(query, start, end, step)
        return found[0] if len(found) == 1 else []

    def each_between(
        self, query: str, start: float, end: float, step: float
    ) -> Sequence[Sequence[tuple[float, float]]]:
        """Pairs of unix seconds and value of each series; CheckError if it cannot be asked."""
        first, last = (datetime.fromtimestamp(at, UTC) for at in (start, end))
        with _asked():
            result = self._client.custom_query_range(
                query, first, last, f"{step:g}", timeout=BETWEEN_SECONDS
            )
            found = [[(float(at), float(value)) for at, value in series["values"]]
                     for series in result]
        return [[(at, value) for at, value in pairs if isfinite(value)] for pairs in found]

    def names(self) -> Sequence[str]:
        """The names of all metrics it has. CheckError if it cannot be asked."""
        with _asked():
            return list(map(str, self._client.all_metrics()))

    @cached_property
    def _client(self) -> Any:
        from prometheus_api_client import PrometheusConnect
        from requests import Session
        from urllib3.util.retry import Retry

        session = Session()
        session.trust_env = False  # a proxy for the web is none for a Prometheus next door
        auth = (self._login, self._password) if self._login else None
        return PrometheusConnect(
            self._url, retry=Retry(total=0), auth=auth, session=session, timeout=BETWEEN_SECONDS
        )


@contextmanager
def _asked() -> Iterator[None]:
    """Say what went wrong in one way. The library lets an odd answer's own error through."""
    from prometheus_api_client.exceptions import PrometheusApiClientException
    from requests import RequestException

    try:
        yield
    except PrometheusApiClientException as error:
        raise CheckError(f"Prometheus refused: {_refusal(str(error))}") from error
    except RequestException as error:
        raise CheckError(f"Prometheus could not be asked: {_trouble(str(error))}") from error
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckError("the answer is not one of Prometheus's API") from error


def _refusal(text: str) -> str:
    """Prometheus's own words, out of the library's."""
    told = re.search(r'"error": ?"(.+?)"[,}]', text)
    return (told[1] if told else text).replace("\\", "")[:200]


def _trouble(text: str) -> str:
    """What happened on the way: without retries the library calls a time-out a lost connection."""
    return "no answer in time" if "timed out" in text else "no connection"


def _sample(result: Any, asked_at: float) -> Sample:
    if not result or isinstance(result[0], dict):
        if result and "values" in result[0]:
            return Sample(None, asked_at, "the query gives a range, not one number")
        return sample_of(result or (), asked_at)
    at, value = float(result[0]), float(result[1])
    return Sample(None, at, "the value is not a number") if isnan(value) else Sample(value, at)
