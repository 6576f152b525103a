"""Plan of action and milestones: an item for each failure that the records show."""

from collections import defaultdict
from collections.abc import Sequence

from holdfast.oscal.log import Basis
from holdfast.oscal.matter import assets, document, referred, services, system
from holdfast.oscal.runs import Run
from holdfast.oscal.words import Json, some, uid

KIND = "plan-of-action-and-milestones"


def poam(runs: Sequence[Run], basis: Basis, results: Json) -> Json | None:
    """Write the document from the results; None without a failure, as OSCAL has no empty one.

    What an item rests on is copied as it is, so that the document can be read alone.
    """
    told = results["assessment-results"]
    risks = [risk for one in told["results"] for risk in one.get("risks", ())]
    if not risks:
        return None
    findings = [f for one in told["results"] for f in one.get("findings", ())
                if "related-risks" in f]
    wanted = {link["observation-uuid"] for part in (*risks, *findings)
              for link in part["related-observations"]}
    seen = [o for one in told["results"] for o in one.get("observations", ())
            if o["uuid"] in wanted]
    under = system(runs, basis.log)
    pointed = referred(seen)
    resources = [r for r in told["back-matter"]["resources"] if r["uuid"] in pointed]
    by_risk = _by_risk(findings)
    return document(KIND, "Resilience tests: what did not hold", basis.log, runs, {
        "import-ssp": {"href": f"#{under['uuid']}"},
        "local-definitions": {
            **some(components=services(runs)), "assessment-assets": assets(),
        },
        "observations": seen, "risks": risks, **some(findings=findings),
        "poam-items": [_item(risk, by_risk[risk["uuid"]]) for risk in risks],
        "back-matter": {"resources": [under, basis.log.resource, *resources]},
    })


def _by_risk(findings: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = defaultdict(list)
    for finding in findings:
        for link in finding["related-risks"]:
            found[link["risk-uuid"]].append({"finding-uuid": finding["uuid"]})
    return found


def _item(risk: Json, about: list[Json]) -> Json:
    return {
        "uuid": uid("item", risk["uuid"]), "title": risk["title"],
        "description": risk["description"], "props": risk["props"],
        **some(related_findings=about),
        "related-observations": risk["related-observations"],
        "related-risks": [{"risk-uuid": risk["uuid"]}],
    }
