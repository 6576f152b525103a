"""Find what makes OSCAL documents worthless though they follow the schema."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from holdfast.oscal import lint_links, lint_sense
from holdfast.oscal.sheet import Defect, Sheet, read_sheet

_COPIED = ("observations", "risks", "findings")


def lint(documents: Mapping[str, bytes], controls: Collection[str]) -> Sequence[Defect]:
    """Give every defect of documents that lie side by side, by file name.

    `controls` are the control ids that are known (`words.control_ids`). Documents must follow the
    schema already: what that finds is not looked for again.
    """
    sheets = {name: sheet for name, content in documents.items()
              if (sheet := read_sheet(name, content)) is not None}
    defects = [Defect("OSCAL_UNREADABLE", name, "not an OSCAL document of a kind that is known")
               for name in documents if name not in sheets]
    for sheet in sheets.values():
        defects += lint_links.imports(sheet, documents, sheets)
    for sheet in sheets.values():
        defects += _defects(sheet, controls)
    return [*defects, *_between(list(sheets.values()))]


def _defects(sheet: Sheet, controls: Collection[str]) -> Iterator[Defect]:
    yield from lint_links.duplicates(sheet)
    yield from lint_links.links(sheet, controls)
    yield from lint_sense.times(sheet)
    yield from lint_sense.observations(sheet)
    yield from lint_sense.collected(sheet)
    yield from lint_sense.findings(sheet, controls)
    yield from lint_sense.selected(sheet)
    yield from lint_sense.risks(sheet)
    yield from lint_sense.items(sheet)
    yield from lint_sense.hashes(sheet)


def _between(sheets: Sequence[Sheet]) -> Iterator[Defect]:
    """Hold plans of action against the results that they were made from."""
    for results in (s for s in sheets if s.kind == "assessment-results"):
        for plan in (s for s in sheets if s.kind == "plan-of-action-and-milestones"):
            yield from _copies(results, plan)
            yield from _forgotten(results, plan)


def _copies(results: Sheet, plan: Sheet) -> Iterator[Defect]:
    for kind in _COPIED:
        first = results.defined.get(kind, {})
        for path, part in plan.lists.get(kind, ()):
            before = first.get(str(part.get("uuid")))
            if before is not None and before != part:
                text = f"the same {kind[:-1]} says something else in {results.name}"
                yield plan.defect("COPY_DIFFERS", path, text)


def _forgotten(results: Sheet, plan: Sheet) -> Iterator[Defect]:
    planned = {one.get("risk-uuid") for _, item in plan.lists.get("poam-items", ())
               for one in item.get("related-risks", ())}
    for path, risk in results.lists.get("risks", ()):
        if risk.get("status") != "closed" and risk.get("uuid") not in planned:
            yield results.defect("NO_ITEM", path, f"no item of {plan.name} is about this risk")
