"""Whether another node than the one that was hit is the primary now."""

from collections.abc import Mapping

from holdfast.clients.postgres import cluster
from holdfast.errors import HoldfastError
from holdfast.model.fault import Fault, Recipe
from holdfast.model.verdict import Finding, Verdict
from holdfast.ports.probes import Probe

_NAME = "standby_promoted"


class StandbyPromoted:
    """Ask every node of the recipe's cluster for its role."""

    def observe(
        self, services: Mapping[str, Mapping[str, str]],  # noqa: ARG002 - the protocol's
        home: str, fault: Fault, recipe: Recipe,
    ) -> Finding:
        """Held when exactly one node takes writes, and it is another one."""
        link, hit = recipe.undo.get("connection"), recipe.undo.get("node")
        if not link or not hit:
            return Finding(_NAME, Verdict.UNKNOWN, f"{fault.type} hits no primary")
        try:
            names = [node.name for node in cluster(home, str(link)).writable()]
        except HoldfastError as error:
            return Finding(_NAME, Verdict.UNKNOWN, str(error))
        verdict, text = _judge(names, str(hit))
        return Finding(_NAME, verdict, text, measured={"hit": hit, "primary": ", ".join(names)})


def _judge(writable: list[str], hit: str) -> tuple[Verdict, str]:
    if not writable:
        return Verdict.BROKEN, f"no node takes writes, {hit} was hit"
    if len(writable) > 1:
        return Verdict.BROKEN, f"several nodes take writes: {', '.join(writable)}"
    if writable == [hit]:
        return Verdict.BROKEN, f"{hit} was hit and is the primary again, no standby was promoted"
    return Verdict.HELD, f"{writable[0]} is the primary now, {hit} was hit"


PROBE: Probe = StandbyPromoted()
