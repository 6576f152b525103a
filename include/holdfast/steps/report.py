"""Write a run's report in every form there is."""

from holdfast.ports.bundle import Ports
from holdfast.ports.reports import Renderer
from holdfast.registry import Registry
from holdfast.reports._content import Report
from holdfast.steps.content import content
from holdfast.steps.seal import REPORT_PREFIX


def report(ports: Ports, run_id: str) -> str:
    """Keep the report as artefacts of the run; give the path of the page.

    Again, it writes it anew from what is known then.
    """
    told = content(ports, run_id)
    renderers = Registry[Renderer[Report]]("reports", "RENDERER")
    paths = {}
    for renderer in renderers.values():
        name = REPORT_PREFIX + renderer.suffix
        kept = ports.artefacts.put(run_id, name, renderer.render(told), renderer.media_type)
        paths[renderer.suffix] = ports.artefacts.path(kept)
    return str(paths["html"])
