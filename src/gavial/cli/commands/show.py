"""`gavial show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import documents, output, progress, release_view
from gavial.cli.options import GavArgument, JsonOption, RepositoryOption
from gavial.reports import html as pages

_EXAMPLE = (
    "\b\nExample:\n  gavial show com.acme:churn\n"
    "  gavial show com.acme:churn:1.0.3 --repository models --json\n"
    "  gavial show com.acme:churn:1.0.3 --html churn.html"
)


def show(
    gav: GavArgument,
    repository: RepositoryOption = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page to hand to somebody.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a release: its card, its files, how to use it."""
    from gavial.registry.catalog import repository as opened

    with progress.shown(f"Reading {gav}"):
        release = opened(repository).release(gav)
    if html is not None:
        pages.write(html, release_view.page(release, repository))
        output.note(f"{release.coordinate} is shown in {html}")
    if as_json:
        output.document(documents.release(release))
    elif html is None:
        release_view.render(release, repository)


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(show)
