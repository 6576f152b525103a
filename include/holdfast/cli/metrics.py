"""metrics: what Holdfast tells a Prometheus about itself, printed or served on loopback."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from wsgiref.simple_server import WSGIRequestHandler, make_server

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.errors import SpecError
from holdfast.steps.gauges import Family, Gauges

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

HOST = "127.0.0.1"
meters = typer.Typer()


@meters.command()
def metrics(
    serve: Annotated[
        int | None,
        typer.Option(help="serve them at this port of loopback; 0 for any", min=0, max=65535),
    ] = None,
) -> None:
    """Print metrics of experiments, guards, leases, budget and score in Prometheus's format."""
    from prometheus_client import generate_latest

    with border():
        registry = registry_of(Gauges(wiring.ports(settings())))
        if serve is None:
            typer.echo(generate_latest(registry).decode(), nl=False)
            return
        _serve(registry, serve)


def registry_of(gauges: Gauges) -> "CollectorRegistry":
    """Ours alone: nothing is told of the process that serves it."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(gauges))
    return registry


class _Collector:
    """Asks for everything anew at each scrape."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> "Iterator[Metric]":
        return (_metric(family) for family in self._gauges.families())

    def describe(self) -> "list[Metric]":
        """Nothing is read before the first scrape."""
        return []


def _metric(family: Family) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

    names = [name for name, _ in family.samples[0][0]] if family.samples else []
    kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
    metric = kind(family.name, family.meaning, labels=names)
    for labels, value in family.samples:
        metric.add_metric([text for _, text in labels], value)
    found: Metric = metric
    return found


class _Quiet(WSGIRequestHandler):
    """A scrape a second is no news."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


def _serve(registry: "CollectorRegistry", port: int) -> None:
    from prometheus_client import make_wsgi_app

    try:
        made = make_server(HOST, port, make_wsgi_app(registry), handler_class=_Quiet)
    except OSError as error:
        raise SpecError(f"port {port} of {HOST} cannot be had: {error.strerror}", where="--serve",
                        hint="another port, or 0 for any that is free") from error
    with made as server:
        out.print(f"http://{HOST}:{server.server_port}/metrics", markup=False)
        server.serve_forever()
