"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from gavial.cli import output
from gavial.cli.commands import (
    alias,
    approve,
    compare,
    compare_report,
    deploy,
    diff,
    download,
    ivysettings,
    keygen,
    list_,
    lookup,
    monitor,
    monitor_report,
    promote,
    repositories,
    run,
    show,
    spark_conf,
    verify,
    withdraw,
)
from gavial.version import __version__

app = typer.Typer(
    name="gavial",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # plain help, the same on a terminal and in a pipe
    pretty_exceptions_enable=False,
)

for module in (
    deploy,
    list_,
    show,
    diff,
    download,
    verify,
    approve,
    promote,
    alias,
    withdraw,
    compare,
    compare_report,
    lookup,
    monitor,
    monitor_report,
    spark_conf,
    run,
    ivysettings,
    keygen,
    repositories,
):
    module.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        output.line(f"gavial {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog="\b\nExample:\n  gavial deploy saved/churn com.acme:churn:1.0\n"
    "  gavial run com.acme:churn:latest.release -- pyspark",
)
def gavial(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A model registry for Spark ML pipelines, on the Maven repository you already run."""
    if context.invoked_subcommand is None:
        output.line(context.get_help())
