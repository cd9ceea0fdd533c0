"""`gavial spark-conf`."""

from __future__ import annotations

from typing import Annotated

import typer

from gavial.cli import output, progress, spark_command, variables
from gavial.cli.options import (
    FastStartOption,
    GavsArgument,
    JsonOption,
    RepositoryOption,
    VerifiedOption,
)

_EXAMPLE = '\b\nExample:\n  eval spark-submit "$(gavial spark-conf com.acme:churn:1.+)" job.py'


def spark_conf(
    gavs: GavsArgument,
    repository: RepositoryOption = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Name the versions that the selectors mean now."),
    ] = False,
    verified: VerifiedOption = False,
    fast_start: FastStartOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the flags for spark-submit, quoted for a shell."""
    from gavial.registry.spark_conf import plan

    with progress.shown("Looking for the models") as transferred:
        made = plan(
            gavs,
            repository,
            exact=exact,
            verified=verified,
            fast_start=fast_start,
            progress=transferred,
        )
    variables.tell(made.environment)
    if as_json:
        output.document({"conf": dict(made.conf), "environment": sorted(made.environment)})
    else:
        output.line(spark_command.flags(made.conf))


def register(app: typer.Typer) -> None:
    app.command("spark-conf", epilog=_EXAMPLE)(spark_conf)
