"""What surrounds every document: metadata, people, resources, the tool, the services."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from holdfast.evidence.canonical import canonical
from holdfast.model.control import Control
from holdfast.oscal.log import Log, artefact, rlink
from holdfast.oscal.observations import TOOL, artefact_uid, component_uid
from holdfast.oscal.runs import Run
from holdfast.oscal.units import services_of
from holdfast.oscal.words import (
    NO_CONTROL,
    VERSION,
    Json,
    control_id,
    line,
    plain,
    props,
    some,
    uid,
)

DISCLAIMER = (
    "Derived from signed records of the evidence log. A record supports evidence for a control; "
    "whether the control is met is for people to judge."
)
ROLES: Sequence[Json] = (
    {"id": "requester", "title": "Who triggered a run"},
    {"id": "approver", "title": "Who was asked to approve its plan"},
)


def document(kind: str, title: str, log: Log, runs: Sequence[Run], body: Json) -> Json:
    """Put a document together; its UUID follows from all that it says."""
    metadata = {
        "title": title, "last-modified": _latest(runs).isoformat(), "version": str(log.size),
        "oscal-version": VERSION, "props": log.props, "links": [reference(log.resource["uuid"])],
        **body.get("metadata", {}), "remarks": DISCLAIMER,
    }
    content = {**body, "metadata": metadata}
    return {kind: {"uuid": uid("document", kind, canonical(content).decode()), **content}}


def reference(uuid: str) -> Json:
    """Point to a resource of the document."""
    return {"href": f"#{uuid}", "rel": "reference"}


def people(runs: Iterable[Run]) -> Json:
    """Name everybody who has triggered or answered, and as what."""
    names = sorted({(run.log, name) for run in runs for name in run.people})
    parties = [{"uuid": party_uid(log, name), "type": "person", "name": line(name)}
               for log, name in names]
    return {"roles": list(ROLES), "parties": parties} if parties else {}


def party_uid(log: str, name: str) -> str:
    """Name a person: names of people are as the log has them."""
    return uid("party", log, name)


def reviewed(controls: Iterable[Control]) -> Json:
    """Select controls, framework by framework; OSCAL cannot say none."""
    by_framework: dict[str, set[str]] = {}
    for control in controls:
        by_framework.setdefault(control.framework, set()).add(control_id(control.name))
    if not by_framework:
        none = {"description": "No control is named: nothing here supports evidence for any.",
                "include-controls": [{"control-id": NO_CONTROL}]}
        return {"control-selections": [none]}
    return {"control-selections": [
        {"props": props(framework=framework),
         "include-controls": [{"control-id": one} for one in sorted(ids)]}
        for framework, ids in sorted(by_framework.items())
    ]}


def services(runs: Iterable[Run]) -> list[Json]:
    """Describe every service that was to be hit, or was."""
    found = {
        (p.log, p.told.environment, s): None for run in runs for p in run.plans
        for e in p.told.experiments for s in (e.fault.service, *(t.service for t in e.targets))
    } | {
        (r.log, r.told.environment, s): None for run in runs for r in run.results
        for s in services_of(r.told)
    }
    return [
        _component(component_uid(log, environment, service), "service", service,
                   f"Service {service} in {environment}.", environment=environment)
        for log, environment, service in sorted(found)
    ]


def assets() -> Json:
    """Name the tool that tests."""
    tool = _component(TOOL, "software", "Holdfast", "Injects faults, watches, reverts, judges.")
    return {
        "components": [tool],
        "assessment-platforms": [{
            "uuid": uid("platform", "holdfast"), "title": "Holdfast",
            "uses-components": [{"component-uuid": TOOL}],
        }],
    }


def files(run: Run) -> Iterator[Json]:
    """Point to each file that the run's latest result and latest report name, with its hash."""
    media = {f.name: f.media_type for f in run.result.told.artefacts} if run.result else {}
    for signed in (*run.results[-1:], *run.reports[-1:]):
        for name, digest in sorted(signed.subjects.items()):
            yield {
                "uuid": artefact_uid(signed, name, digest), "title": plain(name),
                "description": plain(f"{name} of run {run.id}"),
                "props": props(run_id=run.id, log_index=signed.index),
                "rlinks": [rlink(
                    artefact(digest), line(media.get(name)) or "application/octet-stream", digest,
                )],
            }


def system(runs: Iterable[Run], log: Log) -> Json:
    """Stand in for a system security plan, which the records know nothing of."""
    names = sorted({p.told.environment for run in runs for p in run.plans} | {
        w.told.environment for run in runs for w in run.ways})
    return {
        "uuid": uid("system", log.origin, *names),
        "title": plain(f"System under test: {', '.join(names)}"),
        "description": "The records name environments and services. Put your system security "
                       "plan in its place.",
        **some(props=props(environment=", ".join(names))),
    }


def referred(content: object) -> set[str]:
    """Collect the UUIDs of resources that a part of a document points to."""
    if isinstance(content, Mapping):
        href = content.get("href")
        own = {href[1:]} if isinstance(href, str) and href.startswith("#") else set()
        return own.union(*(referred(value) for value in content.values()))
    if isinstance(content, list):
        return set[str]().union(*(referred(value) for value in content))
    return set()


def _component(uuid: str, kind: str, title: str, text: str, **named: str) -> Json:
    return {
        "uuid": uuid, "type": kind, "title": plain(title), "description": plain(text),
        **some(props=props(**named)), "status": {"state": "operational"},
    }


def _latest(runs: Iterable[Run]) -> datetime:
    """The newest of all times that are told: a document cannot be older than what it says."""
    return max(
        at for run in runs
        for at in (*(r.at for r in run.records), *(w.told.started_at for w in run.ways),
                   *(r.told.sealed_at for r in run.results))
    )
