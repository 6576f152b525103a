"""Ways in which OSCAL documents become worthless while they follow the schema.

Each takes the documents apart and a way to choose; it returns without a change where there is
nothing to spoil.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from holdfast.evidence.canonical import canonical

PLAN, RESULTS, POAM = "assessment-plan.json", "assessment-results.json", "poam.json"
OTHER = "00000000-0000-4000-8000-000000000000"
Choose = Callable[[Sequence[Any]], Any]
Spoil = Callable[["Opened", Choose], None]


class Opened:
    """Three documents as plain data."""

    def __init__(self, made: dict[str, bytes]) -> None:
        self.whole = {name: json.loads(content) for name, content in made.items()}
        self.plan = self.whole[PLAN]["assessment-plan"]
        self.told = self.whole[RESULTS]["assessment-results"]
        self.poam = self.whole[POAM]["plan-of-action-and-milestones"]

    def every(self, kind: str) -> list[dict[str, Any]]:
        """All observations, findings or risks of all results."""
        return [one for result in self.told["results"] for one in result.get(kind, ())]

    def written(self) -> dict[str, bytes]:
        return {name: canonical(content) for name, content in self.whole.items()}


def _findings(opened: Opened, **status: str) -> list[dict[str, Any]]:
    return [f for f in opened.every("findings")
            if status.items() <= f["target"]["status"].items()]


def _set(parts: Sequence[dict[str, Any]], choose: Choose, key: str, value: object) -> None:
    choose(parts)[key] = value


def _lose(opened: Opened, kind: str, uuid: str) -> None:
    """Take something out of the result that has it; an empty list is no OSCAL."""
    for result in opened.told["results"]:
        left = [one for one in result.get(kind, ()) if one["uuid"] != uuid]
        if kind in result:
            result[kind] = left
            if not left:
                del result[kind]


def _duplicate(opened: Opened, choose: Choose) -> None:
    first, second = opened.every("observations")[:2]
    second["uuid"] = first["uuid"]


def _no_observation(opened: Opened, choose: Choose) -> None:
    wanted = choose(choose(opened.every("findings"))["related-observations"])
    _lose(opened, "observations", wanted["observation-uuid"])


def _no_risk(opened: Opened, choose: Choose) -> None:
    finding = choose(_findings(opened, reason="fail"))
    _lose(opened, "risks", finding["related-risks"][0]["risk-uuid"])


def _no_finding(opened: Opened, choose: Choose) -> None:
    items = [item for item in opened.poam["poam-items"] if "related-findings" in item]
    _set(choose(items)["related-findings"], choose, "finding-uuid", OTHER)


def _no_resource(opened: Opened, choose: Choose) -> None:
    _set(choose(opened.every("observations"))["relevant-evidence"], choose, "href", f"#{OTHER}")


def _no_subject(opened: Opened, choose: Choose) -> None:
    _set(choose(opened.every("observations"))["subjects"], choose, "subject-uuid", OTHER)


def _no_actor(opened: Opened, choose: Choose) -> None:
    _set(choose(opened.every("observations"))["origins"][0]["actors"], choose, "actor-uuid", OTHER)


def _no_party(opened: Opened, choose: Choose) -> None:
    opened.told["metadata"]["parties"] = [
        p for p in opened.told["metadata"]["parties"] if p["name"] != "lead"] or [
        {"uuid": OTHER, "type": "person"}]


def _no_role(opened: Opened, choose: Choose) -> None:
    choose(opened.told["metadata"]["roles"])["id"] = "somebody"


def _no_activity(opened: Opened, choose: Choose) -> None:
    del opened.plan["local-definitions"]["activities"]


def _no_task(opened: Opened, choose: Choose) -> None:
    del opened.plan["tasks"]


def _no_component(opened: Opened, choose: Choose) -> None:
    del opened.plan["assessment-assets"]["components"]


def _unknown_control(opened: Opened, choose: Choose) -> None:
    choose(opened.every("findings"))["target"]["target-id"] = "zz-99"


def _unknown_selected(opened: Opened, choose: Choose) -> None:
    selection = choose(opened.told["results"])["reviewed-controls"]["control-selections"][0]
    selection["include-controls"].append({"control-id": "zz-99"})


def _not_reviewed(opened: Opened, choose: Choose) -> None:
    result = choose([r for r in opened.told["results"] if "findings" in r])
    result["reviewed-controls"]["control-selections"] = [
        {"include-controls": [{"control-id": "ir-4"}]}]


def _unknown_method(opened: Opened, choose: Choose) -> None:
    choose(opened.every("observations"))["methods"] = ["VIBES"]


def _end_before_start(opened: Opened, choose: Choose) -> None:
    choose([r for r in opened.told["results"] if "end" in r])["end"] = "2020-01-01T00:00:00Z"


def _expired(opened: Opened, choose: Choose) -> None:
    _set(opened.every("observations"), choose, "expires", "2020-01-01T00:00:00Z")


def _outside(opened: Opened, choose: Choose) -> None:
    _set(opened.every("observations"), choose, "collected", "2020-01-01T00:00:00Z")


def _satisfied(opened: Opened, choose: Choose) -> None:
    choose(_findings(opened, reason="fail"))["target"]["status"]["state"] = "satisfied"


def _failed(opened: Opened, choose: Choose) -> None:
    finding = choose(_findings(opened, reason="pass"))
    finding["target"]["status"] = {"state": "not-satisfied", "reason": "fail"}


def _without_risk(opened: Opened, choose: Choose) -> None:
    del choose(_findings(opened, reason="fail"))["related-risks"]


def _unfounded(opened: Opened, choose: Choose) -> None:
    del choose(opened.every("findings"))["related-observations"]


def _unfounded_item(opened: Opened, choose: Choose) -> None:
    item = choose(opened.poam["poam-items"])
    for kind in ("findings", "observations", "risks"):
        item.pop(f"related-{kind}", None)


def _closed(opened: Opened, choose: Choose) -> None:
    risk = choose(opened.every("risks"))
    risk["status"] = "closed"
    risk.pop("risk-log", None)


def _forgotten(opened: Opened, choose: Choose) -> None:
    open_ = {r["uuid"] for r in opened.every("risks") if r["status"] == "open"}
    item = choose([i for i in opened.poam["poam-items"]
                   if i["related-risks"][0]["risk-uuid"] in open_])
    item.pop("related-risks")


def _copy(opened: Opened, choose: Choose) -> None:
    _set(opened.poam[choose(["observations", "risks", "findings"])], choose, "description", "fine")


def _older(opened: Opened, choose: Choose) -> None:
    opened.told["metadata"]["last-modified"] = "2020-01-01T00:00:00Z"


def _no_hash(opened: Opened, choose: Choose) -> None:
    links = [link for r in opened.told["back-matter"]["resources"] for link in r["rlinks"]]
    choose(links).pop("hashes")


def _bad_hash(opened: Opened, choose: Choose) -> None:
    links = [link for r in opened.told["back-matter"]["resources"] for link in r["rlinks"]]
    choose(links)["hashes"][0]["value"] = "e3b0"


def _no_import(opened: Opened, choose: Choose) -> None:
    opened.told["import-ap"]["href"] = f"#{OTHER}"


def _no_system(opened: Opened, choose: Choose) -> None:
    choose([opened.plan, opened.poam])["import-ssp"]["href"] = ""


def _other_plan(opened: Opened, choose: Choose) -> None:
    opened.told["import-ap"]["href"] = "elsewhere.json"


def _changed(opened: Opened, choose: Choose) -> None:
    opened.plan["metadata"]["title"] = "Another plan"


DEFECTS: dict[str, tuple[str, Spoil]] = {
    "two-things-of-one-uuid": ("DUPLICATE_UUID", _duplicate),
    "observation-lost": ("NO_OBSERVATION", _no_observation),
    "risk-lost": ("NO_RISK", _no_risk),
    "finding-of-an-item-lost": ("NO_FINDING", _no_finding),
    "evidence-lost": ("NO_RESOURCE", _no_resource),
    "subject-lost": ("NO_SUBJECT", _no_subject),
    "tool-lost": ("NO_ACTOR", _no_actor),
    "approver-lost": ("NO_PARTY", _no_party),
    "role-lost": ("NO_ROLE", _no_role),
    "activities-lost": ("NO_ACTIVITY", _no_activity),
    "tasks-lost": ("NO_TASK", _no_task),
    "tool-of-the-platform-lost": ("NO_COMPONENT", _no_component),
    "target-is-no-control": ("UNKNOWN_CONTROL", _unknown_control),
    "selected-is-no-control": ("UNKNOWN_CONTROL", _unknown_selected),
    "control-was-not-looked-at": ("NOT_REVIEWED", _not_reviewed),
    "method-by-feeling": ("UNKNOWN_METHOD", _unknown_method),
    "end-before-start": ("END_BEFORE_START", _end_before_start),
    "expired-when-collected": ("EXPIRED_WHEN_COLLECTED", _expired),
    "collected-before-the-run": ("COLLECTED_OUTSIDE", _outside),
    "satisfied-though-it-failed": ("SATISFIED_BUT_FAILED", _satisfied),
    "failed-though-it-held": ("FAILED_BUT_HELD", _failed),
    "failed-without-a-risk": ("FAILED_WITHOUT_RISK", _without_risk),
    "finding-rests-on-nothing": ("UNFOUNDED", _unfounded),
    "item-rests-on-nothing": ("UNFOUNDED", _unfounded_item),
    "closed-by-nobody": ("CLOSED_WITHOUT_ENTRY", _closed),
    "risk-forgotten-in-the-plan": ("NO_ITEM", _forgotten),
    "copy-says-something-else": ("COPY_DIFFERS", _copy),
    "older-than-what-it-tells": ("OLDER_THAN_CONTENT", _older),
    "file-without-a-hash": ("NO_HASH", _no_hash),
    "file-with-no-sha-256": ("NO_HASH", _bad_hash),
    "plan-lost": ("NO_IMPORT", _no_import),
    "plan-not-at-hand": ("NO_IMPORT", _other_plan),
    "system-lost": ("NO_IMPORT", _no_system),
    "plan-changed-afterwards": ("IMPORT_CHANGED", _changed),
}
