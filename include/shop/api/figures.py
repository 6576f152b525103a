"""What an API process tells Prometheus of requests, the pool, and what it was started without."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from shop.api.pool import Pool
from shop.mechanisms import MECHANISMS


class Figures:
    """The figures of one process; what payments add is in `shop.api.payment_figures`."""

    def __init__(self, pool: Pool, has: Callable[[str], bool]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "shop_api_requests", "Requests by route and code.", ["route", "code"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "shop_api_seconds", "Time to answer.", ["route"], registry=self.registry
        )
        self.fallbacks = Counter(
            "shop_api_fallbacks", "Orders taken without their payment.", registry=self.registry
        )
        enabled = Gauge(
            "shop_mechanism_enabled", "0 for what this shop was started without.", ["mechanism"],
            registry=self.registry,
        )  # fmt: skip
        for mechanism in MECHANISMS:
            enabled.labels(mechanism).set(has(mechanism))
        self.registry.register(_PoolFigures(pool))


class _PoolFigures(Collector):
    """The pool's own figures, as they are when Prometheus asks."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        now, name = self._pool.figures(), "shop_api_pool"
        yield GaugeMetricFamily(f"{name}_size", "Connections there are.", now.size)
        yield GaugeMetricFamily(f"{name}_waiting", "Requests that wait for one.", now.waiting)
        yield CounterMetricFamily(f"{name}_opened", "Connections made.", now.opened)
        yield CounterMetricFamily(f"{name}_lost", "Connections that broke.", now.lost)
