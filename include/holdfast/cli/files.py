"""Commands about suite files: `validate`, `schema`, `plan`. They change nothing."""

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out, say_error, settings
from holdfast.clock import SystemClock
from holdfast.errors import SpecError
from holdfast.model.suite import Suite
from holdfast.plan.plan import STEADY_WAIT, Plan
from holdfast.safety.impact import Impact
from holdfast.settings import Settings

files = typer.Typer()


class Format(StrEnum):
    """How a plan is written."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


def suite_file(named: Path, where: Settings) -> Path:
    """The file a person means: a suite's name in the folder of experiments, or else a path."""
    known = where.experiments / f"{named}.suite.yaml"
    return known if known.exists() else named


def _file(named: Path) -> Path:
    try:
        return suite_file(named, settings())
    except SpecError:  # no deployment here, as on a builder of CI: then it is a path
        return named


@files.command()
def validate(
    suites: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="files, or names of suites")
    ],
) -> None:
    """Check suite files: every error with line and column; exit code 2 if there is one."""
    from holdfast.spec.freezes import FILE, load_freezes
    from holdfast.spec.load import load_suite

    wrong = False
    for named in suites:
        path = _file(named)
        try:
            if path.name == FILE:
                out.print(f"{path}: {len(load_freezes(path.parent))} freezes, valid", markup=False)
                continue
            loaded = load_suite(path)
        except SpecError as error:
            wrong = True
            for line in str(error).splitlines():
                say_error(line)
        else:
            count = sum(len(step.experiments) for step in loaded.suite.rounds)
            many = f"{count} experiment{'' if count == 1 else 's'}"
            out.print(f"{path}: {loaded.suite.metadata.name}, {many}, valid", markup=False)
    if wrong:
        raise typer.Exit(SpecError.exit_code)


@files.command()
def schema() -> None:
    """Print the JSON Schema of suite files, for editors."""
    from holdfast.spec.schema import schema_text

    sys.stdout.write(schema_text())


@files.command()
def plan(
    suite: Annotated[Path, typer.Argument(help="a file, or the name of a suite in experiments/")],
    form: Annotated[Format, typer.Option("--format", help="how to write it")] = Format.TEXT,
) -> None:
    """Say what a run would hit now, for how long at worst, how it would be undone, its impact."""
    from holdfast.plan.plan import make_plan
    from holdfast.spec.load import load_suite
    from holdfast.spec.rules import installed

    with border():
        where = settings()
        loaded = load_suite(suite_file(suite, where))
        home = str(where.home)
        made = make_plan(loaded.suite, loaded.digest, installed().drivers, home)
        sys.stdout.write(_written(made, loaded.suite, form) + "\n")


def _written(plan: Plan, suite: Suite, form: Format) -> str:
    from holdfast.plan import explain
    from holdfast.steps import impact

    if form is Format.MERMAID:
        return explain.mermaid(plan)
    found, window = impact.impacts(plan, suite, SystemClock().now()), _window(plan, suite)
    if form is Format.JSON:
        told = {"digest": plan.digest, "impact": impact.as_json(found), "window": window}
        return json.dumps(told | plan.as_json(), indent=2)
    parts = [explain.text(plan), impact.text(found), f"window {window}"]
    return "\n\n".join([*parts, *_approval(plan, suite, found)])


def _window(plan: Plan, suite: Suite) -> str:
    """Whether the first round may begin now by hours and days; incidents are asked for in a run."""
    from holdfast.steps.calendar import calendar_of, outlook

    first = plan.experiments[0].round
    span = suite.baseline.window + STEADY_WAIT + max(
        e.wait + e.worst_case for e in plan.experiments if e.round == first
    )
    return outlook(calendar_of(suite, settings().experiments), SystemClock().now(), span)


def _approval(plan: Plan, suite: Suite, found: Mapping[str, Impact]) -> list[str]:
    from holdfast.steps.approval_request import irreversible
    from holdfast.steps.impact import WHOLE

    if suite.approval is None:
        return []
    why = suite.approval.rule.why_asked(found[WHOLE].score, irreversible(plan.as_json()))
    return [f"a person must approve it, as {why}"] if why else []
