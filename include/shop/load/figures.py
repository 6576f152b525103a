"""What the load tells Prometheus: the customers' view, also when every API is dead."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shop.load.operations import NAMES
from shop.load.outcome import OUTCOMES

_BUCKETS = (
    0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.6, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0,
)  # fmt: skip
HIT_SECONDS = 0.5  # a customer who waits longer has noticed


class Figures:
    """Latency from the intended send time, and outcomes; every label set begins at 0."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._latency = Histogram(
            "shop_load_latency_seconds", "From the intended time of sending to the outcome.",
            ["operation"], buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._operations = Counter(
            "shop_load_operations", "Operations by outcome.", ["operation", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._requests = Counter(
            "shop_load_requests", "Operations that have an outcome.", registry=self.registry
        )
        self._hit = Counter(
            "shop_load_hit", "Those of them that failed, or took longer than 500 ms.",
            registry=self.registry,
        )  # fmt: skip
        self.in_flight = Gauge(
            "shop_load_in_flight", "Operations without an outcome yet.", registry=self.registry
        )
        self.ok = 0
        for operation in NAMES:
            self._latency.labels(operation)
            for outcome in OUTCOMES:
                self._operations.labels(operation, outcome)

    def done(self, operation: str, outcome: str, seconds: float) -> None:
        """Count one operation."""
        self._latency.labels(operation).observe(seconds)
        self._operations.labels(operation, outcome).inc()
        self._requests.inc()
        if outcome != "ok" or seconds > HIT_SECONDS:
            self._hit.inc()
        self.ok += outcome == "ok"
