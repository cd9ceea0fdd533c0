"""`gavial ivysettings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import output, progress, variables
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.reports.plain import harmless

_EXAMPLE = (
    "\b\nExample:\n  gavial ivysettings --output ivysettings.xml\n"
    "  spark-submit --packages com.acme:churn:latest.release \\\n"
    "    --conf spark.jars.ivySettings=ivysettings.xml job.py"
)


def ivysettings(
    file: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Where to write the settings.")
    ],
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="G",
            help="A group that no other repository may answer for. Repeatable. Without it: the "
            "groups of all models there, where the repository lists them.",
        ),
    ] = None,
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the settings for spark.jars.ivySettings. No secret is in them."""
    from gavial.registry.spark_conf import write_ivysettings

    with progress.shown("Asking the repository who may read it"):
        wanted = write_ivysettings(file, group or (), repository)
    variables.tell(wanted)
    if as_json:
        output.document({"file": str(file.absolute()), "environment": sorted(wanted)})
    else:
        output.line(harmless(file))


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(ivysettings)
