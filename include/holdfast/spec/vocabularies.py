"""Common names of metrics, and the objectives' queries in each of these vocabularies.

Sources: the documentation of each exporter; Prometheus' naming practices; OpenTelemetry's semantic
conventions for HTTP metrics.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

_FAILED = '{label}=~"5.."'


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How one kind of exporter tells latency and errors.

    `buckets` is a histogram in seconds (`per_second` 1) or ms (1000), `total` a counter of all
    requests, `failed` what selects the failed ones of it.
    """

    what: str
    buckets: str
    total: str
    failed: str
    per_second: int = 1

    @property
    def names(self) -> frozenset[str]:
        """The metrics that must be there."""
        return frozenset({self.buckets, self.total})

    def queries(self, selector: str, window: str) -> Mapping[str, str]:
        """PromQL by objective; `selector` is label matchers without braces, perhaps empty."""
        every, failed = _braces(selector), _braces(selector, self.failed)
        unit = "" if self.per_second == 1 else f" / {self.per_second}"
        rate = f"rate({self.buckets}{every}[{window}])"
        total = f"sum(rate({self.total}{every}[{window}]))"
        # `or vector(0)`: a counter of failures is not there before the first failure
        wrong = f"(sum(rate({self.total}{failed}[{window}])) or vector(0))"
        return {
            "latency-p95": f"histogram_quantile(0.95, sum by (le) ({rate})){unit}",
            "errors": f"{wrong} / {total}",
            "availability": f"1 - {wrong} / {total}",
        }


def _braces(*matchers: str) -> str:
    inside = ", ".join(filter(None, matchers))
    return f"{{{inside}}}" if inside else ""


VOCABULARIES: Mapping[str, Vocabulary] = {
    "prometheus": Vocabulary(
        "the names that client libraries use by convention",
        "http_request_duration_seconds_bucket", "http_requests_total", _FAILED.format(label="code"),
    ),
    "fastapi": Vocabulary(
        "prometheus-fastapi-instrumentator",
        "http_request_duration_seconds_bucket", "http_requests_total", 'status="5xx"',
    ),
    "opentelemetry": Vocabulary(
        "OpenTelemetry's HTTP server metrics",
        "http_server_request_duration_seconds_bucket", "http_server_request_duration_seconds_count",
        _FAILED.format(label="http_response_status_code"),
    ),
    "spring": Vocabulary(
        "Spring Boot with Micrometer",
        "http_server_requests_seconds_bucket", "http_server_requests_seconds_count",
        _FAILED.format(label="status"),
    ),
    "istio": Vocabulary(
        "Istio's standard metrics",
        "istio_request_duration_milliseconds_bucket", "istio_requests_total",
        _FAILED.format(label="response_code"), per_second=1000,
    ),
    "envoy": Vocabulary(
        "Envoy's upstream clusters",
        "envoy_cluster_upstream_rq_time_bucket", "envoy_cluster_upstream_rq_xx",
        'envoy_response_code_class="5"', per_second=1000,
    ),
    "ingress-nginx": Vocabulary(
        "the NGINX ingress controller",
        "nginx_ingress_controller_request_duration_seconds_bucket",
        "nginx_ingress_controller_requests", _FAILED.format(label="status"),
    ),
    "traefik": Vocabulary(
        "Traefik's services",
        "traefik_service_request_duration_seconds_bucket", "traefik_service_requests_total",
        _FAILED.format(label="code"),
    ),
}


def spoken(metrics: Collection[str]) -> list[str]:
    """Name the vocabularies whose metrics are all among these, in the order of the table."""
    there = set(metrics)
    return [name for name, words in VOCABULARIES.items() if words.names <= there]
