"""`gavial show`."""

from __future__ import annotations

import typer

from gavial.cli import documents, output, progress, release_view
from gavial.cli.options import GavArgument, JsonOption, RepositoryOption

_EXAMPLE = (
    "\b\nExample:\n  gavial show com.acme:churn\n"
    "  gavial show com.acme:churn:1.0.3 --repository models --json"
)


def show(
    gav: GavArgument, repository: RepositoryOption = None, as_json: JsonOption = False
) -> None:
    """Show a release: its card, its files, how to use it."""
    from gavial.registry.catalog import repository as opened

    with progress.shown(f"Reading {gav}"):
        release = opened(repository).release(gav)
    if as_json:
        output.document(documents.release(release))
    else:
        release_view.render(release, repository)


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(show)
