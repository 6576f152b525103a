"""Have great-expectations look at the tables of a PostgreSQL, and keep its pages.

Importing great-expectations takes seconds, so it happens in here, in the one task that needs it.
Nothing is sent anywhere: its telemetry is off, its context lives in memory only, and what its pages
would load from the network is taken out of them.
"""

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast.clients.postgres import Cluster, Node
from holdfast.ports.checkers import Expected, Met

_READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=120s"
_STYLE = Path(__file__).with_name("expectations.css")
_REMOTE = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<nav\b.*?</nav>"
    r"|<footer\b.*?</footer>|<!-- Modal -->.*?(?=<div class=\"container-fluid)",
    re.DOTALL | re.IGNORECASE,
)

_LINK = re.compile(r"<a\b[^>]*href=\"(?!#)[^>]*>(.*?)</a>", re.DOTALL)  # to pages nobody keeps
_URL = re.compile(r"url\(\s*['\"]?https?:[^)]*\)")


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found, in the order asked; `pages` are HTML by table, each complete in itself."""

    met: Sequence[Met]
    pages: Mapping[str, bytes]


def judge(nodes: Cluster, node: Node, expected: Sequence[Expected]) -> Judged:
    """Look at every table once; what great-expectations cannot look at is an error of its own."""
    met: dict[int, Met] = {}
    pages = {}
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder, _quiet():
        source = _Source(_url(nodes, node, Path(folder)))
        for table in dict.fromkeys(e.table for e in expected):
            wanted = {n: e for n, e in enumerate(expected) if e.table == table}
            try:
                result = source.validated(table, wanted)
                met |= {n: _met(e, _of(result, n)) for n, e in wanted.items()}
                pages[table] = _page(result)
            except Exception as error:  # noqa: BLE001 - foreign code: its errors share no base
                why = _first(str(error)).replace(nodes.password or "\0", "***")
                met |= {n: Met(e, is_met=False, error=why) for n, e in wanted.items()}
    return Judged([met[n] for n in range(len(expected))], pages)


class _Source:
    """One database as great-expectations knows it, in memory only."""

    def __init__(self, url: str) -> None:
        import great_expectations as gx
        from great_expectations.data_context.types import base

        stores = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        self._context: Any = gx.get_context(mode="ephemeral", project_config=base.DataContextConfig(
            store_backend_defaults=stores, analytics_enabled=False,
            progress_bars=base.ProgressBarsConfig(globally=False),
        ))
        self._source: Any = self._context.data_sources.add_sql("database", connection_string=url)

    def validated(self, table: str, wanted: Mapping[int, Expected]) -> Any:
        """Hold a table against what is wanted of it."""
        import great_expectations as gx

        schema, _, name = table.rpartition(".")
        asset = self._source.add_table_asset(table, table_name=name, schema_name=schema or None)
        suite = self._context.suites.add(gx.ExpectationSuite(name=table, expectations=[
            _expectation(e, {"holdfast": n}) for n, e in wanted.items()
        ]))
        batch = asset.add_batch_definition_whole_table("all")
        definition = gx.ValidationDefinition(name=table, data=batch, suite=suite)
        return self._context.validation_definitions.add(definition).run()


def _expectation(e: Expected, meta: dict[str, int]) -> Any:
    known: Any = import_module("great_expectations.expectations")
    if e.query:
        return known.UnexpectedRowsExpectation(
            unexpected_rows_query=e.query, description=e.text, meta=meta
        )
    if e.kind == "rows":
        return known.ExpectTableRowCountToBeBetween(
            min_value=e.low and int(e.low), max_value=e.high and int(e.high), meta=meta
        )
    if e.kind == "range":
        return known.ExpectColumnValuesToBeBetween(
            column=e.column, min_value=e.low and float(e.low), max_value=e.high and float(e.high),
            meta=meta,
        )
    name = {"unique": "ToBeUnique", "present": "ToNotBeNull"}[e.kind]
    return getattr(known, f"ExpectColumnValues{name}")(column=e.column, meta=meta)


def _of(result: Any, number: int) -> Any:
    """The result of one expectation: they come back in an order of their own."""
    return next(
        r for r in result.results if r.expectation_config.meta.get("holdfast") == number
    )


def _met(expected: Expected, result: Any) -> Met:
    """A failure may be an exception in disguise: then nothing was looked at."""
    errors = [str(raised["exception_message"]) for raised in _raised(result)]
    if errors:
        return Met(expected, is_met=False, error=_first(errors[0]))
    found = result.result or {}
    wrong = found.get("unexpected_count")
    if wrong is None and not result.success:
        wrong = found.get("observed_value")
    return Met(expected, is_met=bool(result.success), wrong=int(wrong or 0))


def _raised(result: Any) -> list[dict[str, Any]]:
    """The exceptions of one expectation: one, or one for each figure it needed."""
    info = result.exception_info or {}
    found = [info] if "raised_exception" in info else list(info.values())
    return [raised for raised in found if raised.get("raised_exception")]


def _page(result: Any) -> bytes:
    """The result as great-expectations shows it, without anything from elsewhere."""
    renderer: Any = import_module("great_expectations.render.renderer")
    view: Any = import_module("great_expectations.render.view")
    for one in result.results:
        for raised in _raised(one):
            raised["exception_traceback"] = ""  # our paths are nobody's business
    document = renderer.ValidationResultsPageRenderer().render(result)
    html: str = view.DefaultJinjaPageView().render(document)
    html = _LINK.sub(r"\1", _URL.sub("none", _REMOTE.sub("", html)))
    return html.replace("</head>", f"<style>{_STYLE.read_text()}</style></head>", 1).encode()


def _url(nodes: Cluster, node: Node, folder: Path) -> str:
    """An address without the password, which is in a file that only we read while we do."""
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy.engine import URL

    file = folder / "pass"
    escaped = nodes.password.replace("\\", "\\\\").replace(":", "\\:")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
        out.write(f"*:*:*:*:{escaped}\n")
    parts = conninfo_to_dict(nodes.address(node, secret=False))
    query = {"passfile": str(file), "options": _READ_ONLY, "application_name": "holdfast"}
    return URL.create(
        "postgresql+psycopg", username=str(parts.get("user") or "") or None,
        host=str(parts["host"]), port=int(str(parts["port"])), database=str(parts["dbname"]),
        query=query,
    ).render_as_string(hide_password=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep its warnings and log lines, with their tracebacks, out of the task's log."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _first(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no reason given")
