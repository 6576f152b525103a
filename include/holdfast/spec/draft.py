"""Draft a first suite for somebody's own system; pure but for its template."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import SpecError
from holdfast.spec.problems import nearest
from holdfast.spec.vocabularies import VOCABULARIES

_TEMPLATES = Path(__file__).with_name("templates")
_BOUNDS = {"latency-p95": "< 500ms", "errors": "< 1%", "availability": ">= 99%"}

FIRST: Mapping[str, tuple[str, str, str]] = {
    "process": ("process.hang", "", "When {0} hangs, its users are served by others."),
    "proxy": ("network.latency", "{latency: 100ms}",
              "With 100 ms more on the way to {0}, users stay within the objectives."),
    "postgres": ("postgres.terminate_connections", "",
                 "When {0} ends all connections, they are opened again and nobody notices."),
    "tls": ("security.expire_certificate", "",
            "When the certificate of {0} expires, somebody notices before the users do."),
    "load": ("load.raise", "{factor: 2}", "Twice the load of {0} is carried."),
}
"""The first fault for a service that has this kind of address: type, params, hypothesis."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service with one address; `kind` is one of the selectors of the suite file."""

    name: str
    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person has said about the target; `selector` is PromQL label matchers."""

    name: str
    owner: str
    environment: str
    services: Sequence[Service]
    vocabulary: str
    selector: str = ""
    window: str = "1m"
    grace: str = "30s"
    prometheus: str = "prometheus_default"


def service_of(text: str, kinds: Collection[str]) -> Service:
    """Read `NAME=KIND:ADDRESS`, such as `web=process:run/web-*.pid`."""
    name, is_there, rest = text.partition("=")
    kind, has_address, address = rest.partition(":")
    if not (is_there and has_address and name and address):
        raise SpecError(
            f"'{text}' is no service", where="--service",
            hint="NAME=KIND:ADDRESS, such as web=process:run/web-*.pid or database=postgres:my_db",
        )
    if kind not in kinds:
        hint = nearest(kind, kinds)
        raise SpecError(f"'{kind}' is no kind of address", where="--service", hint=hint)
    return Service(name, kind, address)


def draft(said: Draft, file: str) -> str:
    """Write the suite file, with comments."""
    if said.vocabulary not in VOCABULARIES:
        raise SpecError(
            f"unknown vocabulary '{said.vocabulary}'", where="--metrics",
            hint=nearest(said.vocabulary, VOCABULARIES),
        )
    experiments = [e for s in said.services if (e := _experiment(s))]
    if not experiments:
        raise SpecError(
            "there is no service that a first fault could hit", where="--service",
            hint=f"give one an address of these kinds: {', '.join(FIRST)}",
        )
    queries = VOCABULARIES[said.vocabulary].queries(said.selector, said.window)
    text: str = _environment().get_template("draft.suite.yaml.j2").render(
        name=said.name, owner=said.owner, environment=said.environment, services=said.services,
        prometheus=said.prometheus, window=said.window, grace=said.grace, file=file,
        experiments=experiments,
        objectives=[{"name": n, "query": q, "bound": _BOUNDS[n]} for n, q in queries.items()],
    )
    return text


def _experiment(service: Service) -> dict[str, str] | None:
    first = FIRST.get(service.kind)
    if first is None:
        return None
    kind, params, hypothesis = first
    return {
        "name": f"{service.name}-{kind.rpartition('.')[2].replace('_', '-')}", "type": kind,
        "service": service.name, "params": params, "hypothesis": hypothesis.format(service.name),
    }


def _word(text: str) -> str:
    """Text as YAML has it: plain where that is read as the same text, else quoted."""
    from yaml import safe_load

    is_plain = re.fullmatch(r"[A-Za-z0-9][\w./-]*", text) and safe_load(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(  # noqa: S701 - YAML, not HTML
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    made.filters["word"] = _word
    made.filters["squote"] = lambda text: "'" + text.replace("'", "''") + "'"
    return made
