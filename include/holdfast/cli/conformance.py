"""conformance: kill each party of a fault at each moment, and look what is left."""

from pathlib import Path
from typing import Annotated

import typer

from holdfast import wiring
from holdfast.cli.border import border, out, settings
from holdfast.cli.files import suite_file
from holdfast.conformance.deaths import deaths
from holdfast.conformance.table import markdown, summary
from holdfast.conformance.trial import Outcome
from holdfast.errors import ResidueError
from holdfast.spec.load import load_suite

conformer = typer.Typer()


@conformer.command()
def conformance(
    drivers: Annotated[
        list[str] | None, typer.Argument(metavar="DRIVER", help="fault types; all by default")
    ] = None,
    targets: Annotated[
        Path, typer.Option(metavar="SUITE", help="its faults say what is hit, and with what")
    ] = Path("shop-full"),
    thorough: Annotated[
        list[str] | None,
        typer.Option(metavar="DRIVER", help="this one at every gap, with every blow; repeatable"),
    ] = None,
    table: Annotated[Path | None, typer.Option(help="write every death here (Markdown)")] = None,
) -> None:
    """Kill keeper, guard and store while a real fault is on, at each moment; nothing may be left.

    Needs the targets of the suite (`holdfast shop up` for the demo's), not Airflow. They are
    really hit: each death is one injection. Exit code 5 if anything was left or wrong.
    """
    with border():
        suite = load_suite(suite_file(targets, settings())).suite
        outcomes = deaths(wiring.ports(settings()), suite, drivers or [], thorough or [], _tell)
        out.print("\n" + summary(outcomes), markup=False)
        if table is not None:
            table.write_text(markdown(outcomes))
        wrong = [o for o in outcomes if o.problems]
        if wrong:
            cell = wrong[0].cell
            where = f"{cell.driver}, {cell.party}, {cell.moment}, {cell.blow}"
            raise ResidueError(
                f"{len(wrong)} of {len(outcomes)} deaths left something or went wrong; the first, "
                f"{where}: {'; '.join(wrong[0].problems)}", lease="conformance",
            )


def _tell(outcome: Outcome) -> None:
    cell = outcome.cell
    how = f"{cell.driver:28} {cell.party:22} {cell.moment:18} {cell.blow:17}"
    gone = "" if outcome.seconds is None else f"{max(0.0, outcome.seconds):6.2f} s "
    out.print(f"{how} {gone}{'; '.join(outcome.problems) or 'clean'}", markup=False)
