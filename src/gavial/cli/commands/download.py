"""`gavial download`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gavial.cli import documents, output, progress
from gavial.cli.options import GavArgument, JsonOption, RepositoryOption
from gavial.reports.plain import harmless

_EXAMPLE = "\b\nExample:\n  gavial download com.acme:churn:1.0.3 --to downloads"


def download(
    gav: GavArgument,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="The folder to write to; made if missing.")
    ],
    repository: RepositoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the files of a release, verified by sha256."""
    from gavial.registry.catalog import repository as opened

    with progress.shown(f"Downloading {gav}") as transferred:
        release = opened(repository).release(gav)
        paths = release.download(to, transferred)
    if as_json:
        files = [{"path": str(path), "name": path.name, **_content(path)} for path in paths]
        output.document(
            {
                "coordinate": str(release.coordinate),
                "repository": documents.place(release.repository),
                "files": files,
            }
        )
        return
    output.note(f"{release.coordinate}: {len(paths)} files, verified")
    for path in paths:
        output.line(harmless(path))


def _content(path: Path) -> dict[str, object]:
    from gavial.maven.content import Content

    found = Content.of_file(path)
    return {"size": found.size, "sha256": found.digests["sha256"]}


def register(app: typer.Typer) -> None:
    app.command(epilog=_EXAMPLE)(download)
