"""A suite file to a Suite, or to every error in it at once."""

import hashlib
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.errors import SpecError
from holdfast.model.rollout import unroll
from holdfast.model.suite import Suite
from holdfast.spec import rules, steps, text, translate
from holdfast.spec.letters import one_line, visible
from holdfast.spec.problems import Problem, SpecErrors
from holdfast.spec.rules import Known

_MOST = 50
"""Errors of one file that are told; nobody reads on."""
_ANY = {"owner": "x", "hypothesis": "x", "duration": "1s"}
"""Stands for what is needed and wrong, where no rule minds, while the rest is checked."""


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite that keeps every rule, its rollouts unrolled; `digest` is of the file's bytes."""

    suite: Suite
    digest: str
    path: Path


def load_suite(path: Path, known: Known | None = None) -> LoadedSuite:
    """Read and check a suite file (YAML or JSON); SpecErrors names file, line and column."""
    try:
        written = text.of_file(path)
    except SpecError as error:
        raise SpecErrors([error]) from error
    return replace(load_text(written, visible(str(path)), known), path=path)


def load_text(written: str, where: str, known: Known | None = None) -> LoadedSuite:
    """Check the text of a suite; `where` stands for the file in errors."""
    try:
        source = text.read(written, where)
    except SpecError as error:
        raise SpecErrors([error]) from error
    known = known or rules.installed()
    try:
        suite = Suite.model_validate(source.data)
    except ValidationError as error:
        found = translate.problems(error.errors())
        raise _errors(source, found + _beside(source.data, error, known)) from error
    broken = rules.check(suite, known) or steps.check(suite, known)
    if broken:
        raise _errors(source, broken)
    digest = "sha256:" + hashlib.sha256(written.encode()).hexdigest()
    return LoadedSuite(unroll(suite), digest, Path(where))


def _beside(data: Any, error: ValidationError, known: Known) -> list[Problem]:
    """What else is wrong, were what is refused here left out: all is said at once."""
    rest = deepcopy(data)
    for one in error.errors():
        if translate.follows(one):
            continue
        *parents, last = one["loc"] or ("",)
        node: Any = rest
        for step in parents:
            node = node[step] if _has(node, step) else None
        if isinstance(node, dict):
            node.pop(last, None)
            node |= {last: _ANY[last]} if last in _ANY else {}
    try:
        return rules.check(Suite.model_validate(rest), known, whole=False)
    except ValidationError:
        return []


def _has(node: Any, step: Any) -> bool:
    if isinstance(node, list):
        return isinstance(step, int) and step < len(node)
    return isinstance(node, dict) and step in node


def _errors(source: text.Source, problems: list[Problem]) -> SpecErrors:
    placed = sorted(problems, key=lambda p: source.spot(p.place, on_key=p.on_key))
    told = [
        SpecError(one_line(p.text), where=source.at(p.place, on_key=p.on_key),
                  hint=one_line(p.hint))
        for p in placed[:_MOST]
    ]
    if len(placed) > _MOST:
        told.append(SpecError(f"{len(placed) - _MOST} more at least", where=source.where))
    return SpecErrors(told)
