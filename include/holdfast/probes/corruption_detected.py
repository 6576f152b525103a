"""Whether the server noticed that a page of it was damaged."""

from collections.abc import Mapping

from holdfast.clients.postgres import cluster
from holdfast.errors import HoldfastError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.probes import Probe

_NAME = "corruption_detected"
_FAILURES = """
SELECT coalesce(sum(checksum_failures), 0)::int,
       coalesce(extract(epoch FROM now() - max(checksum_last_failure)), 0)::float
FROM pg_stat_database
"""


class CorruptionDetected:
    """Ask the node of the recipe how many checksums were wrong since it last crashed."""

    def observe(
        self, services: Mapping[str, Mapping[str, str]],  # noqa: ARG002 - the protocol's
        home: str, fault: Fault, recipe: Recipe,
    ) -> Finding:
        """Held when it counted at least one."""
        undo = recipe.undo
        if not {"connection", "node", "block"} <= undo.keys():
            return Finding(_NAME, Verdict.UNKNOWN, f"{fault.type} damages no page")
        try:
            nodes = cluster(home, str(undo["connection"]))
            node = nodes.node(str(undo["node"]))
            count, age = nodes.ask(node, _FAILURES)[0]
        except HoldfastError as error:
            return Finding(_NAME, Verdict.UNKNOWN, str(error))
        measured = {"node": node.name, "checksum_failures": count, "seconds_ago": round(age, 1)}
        if not count:
            text = f"{nodes.named(node)} counts no failed checksum"
            return Finding(_NAME, Verdict.BROKEN, text, measured=measured)
        text = f"{nodes.named(node)} counts {count} failed checksums, the last {age:.0f} s ago"
        return Finding(_NAME, Verdict.HELD, text, measured=measured)


PROBE: Probe = CorruptionDetected()
