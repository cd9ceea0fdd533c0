"""`gavial diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import diff_page, diff_view, documents, output, progress
from gavial.cli.options import JsonOption, RepositoryOption
from gavial.reports import html as pages

_EXAMPLE = (
    "\b\nExample:\n  gavial diff com.acme:churn:1.0.3 com.acme:churn:1.0.4\n"
    "  gavial diff com.acme:churn:1.0.+ saved/churn --html churn.html\n"
    "  gavial diff com.acme:churn com.acme:churn --repository staging --to-repository releases"
)
_HELP = "group:artifact[:selector], or the folder of a saved PipelineModel"


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"{_HELP}.", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", help=f"{_HELP}.", show_default=False)],
    repository: RepositoryOption = None,
    to_repository: Annotated[
        str | None,
        typer.Option(
            "--to-repository",
            metavar="R",
            help="Where B is, if elsewhere.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show what is the same as well, and every value.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page, side by side.", show_default=False
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where they differ.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what differs between two models, and what they learnt."""
    from gavial.registry.diff import diff as compared

    with progress.shown("Comparing") as transferred:
        found = compared(
            before, after, repository, to_repository=to_repository, progress=transferred
        )
    if html is not None:
        pages.write(html, diff_page.render(found))
        output.note(f"{html} was written")
    if as_json:
        output.document(documents.difference(found))
    elif html is None:
        diff_view.render(found, everything)
    if exit_code and found.differs:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(diff)
