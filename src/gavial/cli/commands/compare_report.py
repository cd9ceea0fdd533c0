"""`gavial compare report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import progress
from gavial.cli.commands.compare import compare_app
from gavial.cli.commands.monitor_report import (
    ChartsOption,
    Format,
    FormatOption,
    OutputOption,
    tell,
    write,
)
from gavial.cli.options import JsonOption
from gavial.reports import html as pages

_EXAMPLE = (
    "\b\nExample:\n"
    "  gavial compare check scored/ --route com.acme:churn@champion --id customer \\\n"
    "    --json > comparison.json\n"
    "  gavial compare report comparison.json --output comparison.html"
)


def report(
    comparison: Annotated[
        list[Path],
        typer.Argument(
            metavar="COMPARISON…",
            help="Comparisons in JSON, as `gavial compare check --json` writes them; that of all "
            "records first.",
            show_default=False,
        ),
    ],
    output_: OutputOption = Path("comparison.html"),
    charts: ChartsOption = None,
    format_: FormatOption = Format.SVG,
    as_json: JsonOption = False,
) -> None:
    """Write comparisons as one page to hand to somebody, and their charts if they are wanted.

    Exits with 0 whatever the verdict is: that is for check.
    """
    from gavial.registry import compared
    from gavial.reports import charts as drawn
    from gavial.reports import page

    found = [each for one in comparison for each in compared.read(one)]
    with progress.shown("Drawing"):
        pages.write(output_, page.comparison(found, made=datetime.now(UTC)))
        written = [output_]
        if charts is not None:
            written += write(drawn.compared(found), charts, format_)
    tell(written, {"outcomes": [str(one.outcome) for one in found]}, as_json=as_json)


def register(_: typer.Typer) -> None:
    compare_app.command(epilog=_EXAMPLE)(report)
